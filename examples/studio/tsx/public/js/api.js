// Talks to the API, which lives at another origin; every refusal becomes an ApiError with a sentence to show.

import { apiUrl } from "/config.js";
import { current, forget } from "./session.js";

export class ApiError extends Error {
  constructor(status, body) {
    super(sentence(body));
    this.status = status;
    this.code = body.code;
    this.field = body.detail?.[0]?.loc?.at(-1);
  }
}

/** Send a request as whoever is logged in, and return the response if it is a success. */
export async function send(method, path, { json, form, signal, headers = {} } = {}) {
  const session = current();
  if (session) headers = { ...headers, Authorization: `Bearer ${session.token}` };
  if (json) headers = { ...headers, "Content-Type": "application/json" };
  const body = json ? JSON.stringify(json) : form;
  const response = await fetch(apiUrl + path, { method, headers, body, signal }).catch((error) => {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, { message: "The studio does not answer. Try again in a moment." });
  });
  if (response.ok) return response;
  const error = new ApiError(response.status, await response.json().catch(() => ({})));
  if (session && response.status === 401) {
    forget();
    location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
  }
  throw error;
}

export const get = async (path) => (await send("GET", path)).json();
export const post = async (path, json) => (await send("POST", path, { json })).json();
export const put = (path, options) => send("PUT", path, options);
export const remove = (path) => send("DELETE", path);

/** Load an image that needs the token, as an address that <img> can show. */
export async function picture(path) {
  return URL.createObjectURL(await (await send("GET", path)).blob());
}

function sentence(body) {
  if (body.message) return body.message;
  const first = body.detail?.[0];
  if (!first) return "Something went wrong.";
  const field = String(first.loc.at(-1)).replaceAll("_", " ");
  return `${field[0].toUpperCase()}${field.slice(1)}: ${first.msg.replace(/^Value error, /, "")}.`;
}
