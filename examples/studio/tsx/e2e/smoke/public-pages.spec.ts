// Pages that everybody can see.

import { expect, test } from "../support/studio.ts";

test("the home page says what this is and leads on", async ({ page }) => {
  await page.goto("/");

  await expect(page).toHaveTitle(/Streamer studio/);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your channel, in one look.");
  await page.getByRole("main").getByRole("link", { name: "Start for free" }).click();
  await expect(page).toHaveURL("/register");
});

test("the pricing page shows two plans and every size, fetched from the API", async ({ page }) => {
  await page.goto("/pricing");

  await expect(page.getByRole("heading", { level: 2 })).toHaveText(["Solo", "Team", "Every size Twitch asks for"]);
  const sizes = page.getByRole("table").getByRole("row");
  await expect(sizes).toHaveCount(9);
  await expect(sizes.filter({ hasText: "Emote" })).toContainText("112 × 112");
});

test("a page that does not exist says so with a way back", async ({ page }) => {
  const response = await page.goto("/nowhere");

  expect(response?.status()).toBe(404);
  await page.getByRole("link", { name: "Back to the start" }).click();
  await expect(page).toHaveURL("/");
});

test("no page logs an error, and everything works without a mouse", async ({ page }) => {
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  for (const path of ["/", "/pricing", "/login", "/register"]) {
    await page.goto(path);
    await expect(page.getByRole("main")).toBeVisible();
  }

  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to content" })).toBeFocused();
  expect(complaints).toEqual([]);
});
