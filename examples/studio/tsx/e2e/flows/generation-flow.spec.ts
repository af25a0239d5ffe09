// Making several things in a row.

import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, test } from "../support/studio.ts";

async function generate(page: Page, kind: string, title: string, size: string): Promise<void> {
  await page.getByRole("radio", { name: kind }).check();
  await page.getByLabel("Title").fill(title);
  await page.getByRole("button", { name: "Generate" }).click();
  await expect(page.getByRole("status")).toContainText(`Done. ${size} pixels`);
}

test("visitors of the demo channel see what they made", async ({ page, demo }) => {
  await page.goto("/create");
  await generate(page, "Emote", "Hello", "112 × 112");
  await generate(page, "Subscriber badge", "Visitor", "72 × 72");
  await generate(page, "Info panel", "About", "320 × 160");

  await page.reload();

  const made = page.getByRole("list", { name: "Made so far" }).getByRole("listitem");
  await expect(made).toHaveText([/About\s*320 × 160/, /Visitor\s*72 × 72/, /Hello\s*112 × 112/]);
  expect(await demo.get("/auth/usage")).toMatchObject({ brand_kits: 0, assets: 3, open_jobs: 0 });
});

test("what was made gathers below, newest first, and stays", async ({ page, studio }) => {
  await page.goto("/create");
  await generate(page, "Emote", "Hype", "112 × 112");
  await generate(page, "Subscriber badge", "Tier two", "72 × 72");
  await generate(page, "Profile banner", "Live tonight", "1200 × 480");

  const made = page.getByRole("list", { name: "Made so far" }).getByRole("listitem");
  const captions = [/Live tonight\s*1200 × 480/, /Tier two\s*72 × 72/, /Hype\s*112 × 112/];
  await expect(made).toHaveText(captions);
  await page.reload();
  await expect(made).toHaveText(captions);
  expect(await studio.get("/auth/usage")).toMatchObject({ assets: 3, open_jobs: 0 });
});

test("the file one downloads is the file the API serves", async ({ page, studio }) => {
  await page.goto("/create");
  await generate(page, "Profile picture", "Robin", "256 × 256");

  const started = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  const downloaded = await readFile(await (await started).path());
  const [asset] = await studio.get("/assets");
  expect(downloaded.equals(await studio.file(asset.id))).toBe(true);
});

test("a refusal is shown, and the next attempt works", async ({ page, studio }) => {
  await page.goto("/create");
  await expect(page.getByRole("radio")).toHaveCount(8);
  const refusal = { status: 503, json: { message: "Too busy." }, headers: { "Access-Control-Allow-Origin": "*" } };
  await page.route("**/generation/jobs", (route) => route.fulfill(refusal), { times: 1 });
  await page.getByLabel("Title").fill("Patience");
  await page.getByRole("button", { name: "Generate" }).click();
  await expect(page.getByRole("alert")).toHaveText("Too busy.");
  await expect(page.getByRole("status")).toHaveText("That did not work.");

  await page.getByRole("button", { name: "Generate" }).click();

  await expect(page.getByRole("status")).toContainText("Done.");
  await expect(page.getByRole("alert")).toBeHidden();
  expect(await studio.get("/assets")).toHaveLength(1);
});
