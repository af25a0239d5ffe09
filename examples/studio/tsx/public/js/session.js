// Who is logged in, remembered in this browser.

const KEY = "studio.session";

/** @returns {{token: string, user: {display_name: string, email: string}} | null} */
export function current() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}

export function remember({ token, user }) {
  localStorage.setItem(KEY, JSON.stringify({ token, user }));
}

export function forget() {
  localStorage.removeItem(KEY);
}
