// What all pages share: the bar at the top, the notice, and the way to the login.

import { send } from "./api.js";
import { current, forget } from "./session.js";

export const $ = (selector, within = document) => within.querySelector(selector);

/** Show the parts of the page that are meant for this visitor. */
export function start() {
  const session = current();
  for (const element of document.querySelectorAll("[data-when]")) {
    element.hidden = (element.dataset.when === "in") !== Boolean(session);
  }
  $("#whoami").textContent = session?.user.display_name ?? "";
  $("#logout").addEventListener("click", logOut);
  for (const link of document.querySelectorAll("nav a")) {
    if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
  }
  return session;
}

/** Like start, for pages that make no sense without a login. */
export function startWithLogin() {
  const session = start();
  if (!session) location.replace(`/login?next=${encodeURIComponent(location.pathname)}`);
  return session;
}

/** Run something, and show what went wrong, if it did; a form cannot be sent twice meanwhile. */
export async function attempt(action, { busy } = {}) {
  const notice = $("#notice");
  notice.hidden = true;
  if (busy) busy.disabled = true;
  try {
    return await action();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    notice.textContent = error.message;
    notice.hidden = false;
    for (const input of document.querySelectorAll("input[name]")) {
      input.toggleAttribute("aria-invalid", false);
      if (input.name === error.field) input.setAttribute("aria-invalid", "true");
    }
    return undefined;
  } finally {
    if (busy) busy.disabled = false;
  }
}

/**
 * Call back with the fields of a form when it is sent. Until then its fieldset is disabled: a browser would send it
 * the old way, password in the address and all.
 */
export function onSubmit(form, handle) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    attempt(() => handle(fields), { busy: $("[type=submit]", form) });
  });
  $("fieldset", form).disabled = false;
}

/** Where to go after a login: only ever to a page of this site. */
export function destination() {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/[a-z]*$/.test(next) ? next : "/dashboard";
}

async function logOut() {
  await send("POST", "/auth/logout").catch(() => {});
  forget();
  location.assign("/");
}
