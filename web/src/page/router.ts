import { useEffect, useState } from "preact/hooks";

/** The whole state of the page is its address: `#/view/rest?name=value`. */
export interface Route {
  view: string;
  rest: string;
  params: URLSearchParams;
}

export function routeOf(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [view = "", ...rest] = path.split("/");
  let decoded = rest.join("/");
  try {
    decoded = decodeURIComponent(decoded);
  } catch {
    // A percent sign that somebody typed: taken as it is.
  }
  return { view: view || "overview", rest: decoded, params: new URLSearchParams(query) };
}

export function hashOf(view: string, rest = "", params: Record<string, string | null> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value);
  const told = query.toString();
  return `#/${view}${rest ? `/${encodeURIComponent(rest)}` : ""}${told ? `?${told}` : ""}`;
}

export const go = (hash: string): void => {
  if (location.hash !== hash) location.hash = hash;
};

/** Changes the address without a step in the history: for what changes with every key. */
export const amend = (hash: string): void => {
  history.replaceState(null, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
};

export function useRoute(): Route {
  const [route, setRoute] = useState(() => routeOf(location.hash));
  useEffect(() => {
    const changed = (): void => setRoute(routeOf(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
