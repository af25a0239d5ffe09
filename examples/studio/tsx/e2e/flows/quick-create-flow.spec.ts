// From an idea to a picture on the screen.

import { expect, test } from "../support/studio.ts";

test("the demo channel has one kit to choose, and what is made with it", async ({ page, demo }) => {
  const kit = await demo.createKit("Demo colours", { primary_colour: "#00aa55" });
  await page.goto("/create");
  await page.getByLabel("Brand kit").selectOption(kit);
  await page.getByLabel("Title").fill("Try me");
  await page.getByRole("button", { name: "Generate" }).click();

  await expect(page.getByRole("status")).toContainText("Done.");
  expect(await demo.get("/auth/usage")).toMatchObject({ brand_kits: 1, assets: 1, open_jobs: 0 });
});

test("choose, generate, look, download", async ({ page, studio }) => {
  await page.goto("/create");
  await page.getByRole("radio", { name: "Info panel" }).check();
  await page.getByLabel("Title").fill("About me");
  await page.getByRole("button", { name: "Generate" }).click();

  await expect(page.getByRole("status")).toContainText("Done. 320 × 160 pixels");
  const preview = page.getByRole("region", { name: "Preview" }).getByRole("img", { name: "About me, panel" });
  await expect(preview).toHaveJSProperty("naturalWidth", 320);
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download" }).click();
  expect((await download).suggestedFilename()).toMatch(/^panel-[0-9a-f]{8}\.png$/);
  expect(await studio.get("/assets")).toHaveLength(1);
});

test("the kit chosen on the dashboard is the kit that is used", async ({ page, studio }) => {
  const kit = await studio.createKit("Deep blue", { primary_colour: "#0000ff" });
  await page.goto("/dashboard");
  await page.getByRole("link", { name: "Use" }).click();
  await expect(page.getByLabel("Brand kit")).toHaveValue(kit);

  await page.getByLabel("Title").fill("Blue");
  await page.getByRole("button", { name: "Generate" }).click();

  await expect(page.getByRole("status")).toContainText("Done.");
  const [job] = await studio.get("/generation/jobs");
  expect(job).toMatchObject({ asset_type: "emote", brand_kit_id: kit, state: "done" });
});

test("an empty title is not sent", async ({ page, studio }) => {
  await page.goto("/create");
  await expect(page.getByRole("radio", { name: "Emote" })).toBeChecked();
  await page.getByRole("button", { name: "Generate" }).click();

  await expect(page.getByLabel("Title")).toBeFocused();
  await expect(page.getByRole("status")).toHaveText("Nothing made yet.");
  expect(await studio.get("/generation/jobs")).toEqual([]);
});
