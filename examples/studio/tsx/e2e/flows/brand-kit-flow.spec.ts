// A brand kit in the hands of its owner.

import type { Locator, Page } from "@playwright/test";
import { expect, png, test } from "../support/studio.ts";

const kits = (page: Page): Locator => page.getByRole("list", { name: "Brand kits" }).getByRole("listitem");

async function create(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Create kit" }).click();
}

test("visitors of the demo channel see every look, and one leaves", async ({ page, demo }) => {
  for (let number = 1; number <= 10; number++) await demo.createKit(`Look ${number}`);
  await page.goto("/dashboard");
  await expect(page.getByText("10 of 10")).toBeVisible();

  await kits(page).filter({ hasText: "Look 7" }).getByRole("button", { name: "Delete" }).click();

  await expect(page.getByText("9 of 10")).toBeVisible();
  await page.reload();
  await expect(kits(page)).toHaveText([1, 2, 3, 4, 5, 6, 8, 9, 10].map((number) => new RegExp(`Look ${number}\\b`)));
});

test("a kit is created, survives a reload, and is deleted", async ({ page, studio }) => {
  await page.goto("/dashboard");
  await page.getByLabel("Primary colour").fill("#0055ff");
  await create(page, "Retro nights");
  await expect(kits(page)).toHaveText([/Retro nights.*#0055ff · #f59e0b/s]);
  await expect(page.getByLabel("Name")).toHaveValue("");

  await page.reload();
  await kits(page).filter({ hasText: "Retro nights" }).getByRole("button", { name: "Delete" }).click();

  await expect(page.getByText("No brand kit yet.")).toBeVisible();
  expect((await studio.get("/brand-kits")).items).toEqual([]);
});

test("a logo is uploaded and shown", async ({ page, studio }) => {
  await studio.createKit("With logo");
  await page.goto("/dashboard");

  await page.getByLabel("Upload logo").setInputFiles({ name: "logo.png", mimeType: "image/png", buffer: png(64, 32) });

  const logo = page.getByRole("img", { name: "Logo of With logo" });
  await expect(logo).toBeVisible();
  await expect(logo).toHaveJSProperty("naturalWidth", 64);
});

test("a file that is no PNG is refused", async ({ page, studio }) => {
  await studio.createKit("Without logo");
  await page.goto("/dashboard");

  const file = { name: "logo.png", mimeType: "image/png", buffer: Buffer.from("only the name is right") };
  await page.getByLabel("Upload logo").setInputFiles(file);

  await expect(page.getByRole("alert")).toHaveText("This is not a PNG image.");
});

test("a second kit of the same name is refused, and so is an eleventh", async ({ page, studio }) => {
  await Promise.all(Array.from({ length: 9 }, (_, number) => studio.createKit(`Kit ${number + 1}`)));
  await page.goto("/dashboard");
  await create(page, "Kit 1");
  await expect(page.getByRole("alert")).toContainText("already");

  await create(page, "Kit 10");
  await expect(page.getByText("10 of 10")).toBeVisible();
  await expect(page.getByRole("alert")).toBeHidden();
  await create(page, "Kit 11");

  await expect(page.getByRole("alert")).toContainText("which is the limit");
  await expect(kits(page)).toHaveCount(10);
});
