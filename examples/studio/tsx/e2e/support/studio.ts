// What the specs share: accounts of their own, made through the API, and images to upload.

import { randomUUID } from "node:crypto";
import { crc32, deflateSync } from "node:zlib";
import { type APIRequestContext, test as base, expect, type Page } from "@playwright/test";

export const API_URL = (process.env.API_URL || "http://127.0.0.1:8710").replace(/\/$/, "");

export interface Account {
  email: string;
  password: string;
  name: string;
}

export interface Session {
  token: string;
  user: { id: string; email: string; display_name: string };
}

/** Invent somebody nobody else is, so that specs can run side by side and again. */
export function invent(): Account {
  const id = randomUUID();
  return { email: `viewer-${id}@example.com`, password: `secret-${id}`, name: "Robin" };
}

/** Create the account through the API and return its session. */
export async function register(request: APIRequestContext, account: Account): Promise<Session> {
  const { email, password, name } = account;
  const registered = await request.post(`${API_URL}/auth/register`, { data: { email, password, display_name: name } });
  expect(registered.status()).toBe(201);
  const loggedIn = await request.post(`${API_URL}/auth/login`, { data: { email, password } });
  expect(loggedIn.status()).toBe(200);
  return loggedIn.json();
}

/** The one account that visitors are shown, swept. There is only one: who uses it has it to himself. */
async function onTheDemoChannel(request: APIRequestContext): Promise<Studio> {
  const [email, password] = ["demo@example.com", "as everybody knows"];
  // Refused where somebody was here before.
  await request.post(`${API_URL}/auth/register`, { data: { email, password, display_name: "Demo" } });
  const loggedIn = await request.post(`${API_URL}/auth/login`, { data: { email, password } });
  expect(loggedIn.status()).toBe(200);
  const demo = new Studio(request, await loggedIn.json());
  for (const kit of (await demo.get("/brand-kits")).items) await demo.remove(`/brand-kits/${kit.id}`);
  for (const asset of await demo.get("/assets")) await demo.remove(`/assets/${asset.id}`);
  return demo;
}

/** The API as the logged-in user sees it. */
export class Studio {
  constructor(
    private readonly request: APIRequestContext,
    readonly session: Session,
  ) {}

  async createKit(name: string, colours: { primary_colour?: string; accent_colour?: string } = {}): Promise<string> {
    const answer = await this.request.post(`${API_URL}/brand-kits`, { data: { name, ...colours }, headers: this.headers });
    expect(answer.status()).toBe(201);
    return (await answer.json()).id;
  }

  async get(path: string) {
    return (await this.request.get(API_URL + path, { headers: this.headers })).json();
  }

  async remove(path: string): Promise<void> {
    await this.request.delete(API_URL + path, { headers: this.headers });
  }

  async file(assetId: string): Promise<Buffer> {
    return (await this.request.get(`${API_URL}/assets/${assetId}/file`, { headers: this.headers })).body();
  }

  private get headers() {
    return { Authorization: `Bearer ${this.session.token}` };
  }
}

/** `account` is made up, and not registered. A spec that asks for `studio` finds it registered and the browser logged in; with `demo` that is the demo channel. */
export const test = base.extend<{ account: Account; studio: Studio; demo: Studio }>({
  account: async ({}, use) => use(invent()),
  studio: async ({ account, page, request }, use) => {
    const session = await register(request, account);
    await logIn(page, session);
    await use(new Studio(request, session));
  },
  demo: async ({ page, request }, use) => {
    const demo = await onTheDemoChannel(request);
    await logIn(page, demo.session);
    await use(demo);
  },
});

export { expect };

/** Put the session where the pages look for it. Not by an init script: that would undo a logout. */
async function logIn(page: Page, { token, user }: Session): Promise<void> {
  await page.goto("/favicon.svg");
  await page.evaluate((value) => localStorage.setItem("studio.session", value), JSON.stringify({ token, user }));
}

/** A PNG file of one colour. */
export function png(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6, 0, 0, 0], 8);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 4, Buffer.from([20, 160, 120, 255]))]);
  const rows = Buffer.concat(Array.from({ length: height }, () => row));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}

function chunk(kind: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(kind), data]);
  const length = Buffer.alloc(4);
  const checksum = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, checksum]);
}
