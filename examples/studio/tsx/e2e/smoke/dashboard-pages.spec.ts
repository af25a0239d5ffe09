// The pages behind the login.

import { expect, test } from "../support/studio.ts";

test("the dashboard starts empty and lists what is there", async ({ page, studio }) => {
  await page.goto("/dashboard");
  await expect(page.getByText("No brand kit yet.")).toBeVisible();
  await expect(page.getByText("0 of 10")).toBeVisible();

  await studio.createKit("Night shift");
  await page.reload();

  await expect(page.getByRole("list", { name: "Brand kits" }).getByRole("listitem")).toHaveText([/Night shift/]);
  await expect(page.getByText("1 of 10")).toBeVisible();
});

test("quick create offers every kind of artwork and the kits of the user", async ({ page, studio }) => {
  await studio.createKit("Night shift");
  await page.goto("/create");

  await expect(page.getByRole("radio")).toHaveCount(8);
  await expect(page.getByLabel("Brand kit").getByRole("option")).toHaveText(["Studio colours", "Night shift"]);
  await expect(page.getByText("Your images will gather here.")).toBeVisible();
});

test("the coach sends tips while the page is open, until it is paused", async ({ page, studio }) => {
  await page.goto("/coach");
  const tips = page.getByRole("list", { name: "Tips" }).getByRole("listitem");
  await expect(tips.nth(1)).toBeVisible();
  await expect(page.getByText("Live", { exact: true })).toBeVisible();

  await page.getByRole("button", { name: "Pause" }).click();
  await tips.first().getByRole("checkbox", { name: "Done" }).check();

  await expect(page.getByText("Paused")).toBeVisible();
  await expect(page.getByText("1 of 10 done")).toBeVisible();
  await expect.poll(async () => (await studio.get("/coach/progress")).done.length).toBe(1);
});

test("the bar shows where one is", async ({ page, studio }) => {
  await page.goto("/dashboard");
  const nav = page.getByRole("navigation", { name: "Main" });
  await expect(page.getByText(studio.session.user.display_name)).toBeVisible();

  for (const name of ["Quick create", "Coach", "Brand kits"]) {
    await nav.getByRole("link", { name }).click();
    await expect(nav.getByRole("link", { name })).toHaveAttribute("aria-current", "page");
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
  }
});
