// The two forms in front of the studio.

import { expect, test } from "../support/studio.ts";

test("the forms have labelled fields of the right kind", async ({ page }) => {
  await page.goto("/register");
  await expect(page.getByLabel("Name on stream")).toBeEditable();
  await expect(page.getByLabel("E-mail")).toHaveAttribute("type", "email");
  await expect(page.getByLabel("Password")).toHaveAccessibleDescription("At least ten characters.");

  await page.getByRole("link", { name: "Log in" }).last().click();
  await expect(page.getByRole("heading", { name: "Welcome back" })).toBeVisible();
  await expect(page.getByLabel("Password")).toHaveAttribute("type", "password");
});

test("a short password is pointed out", async ({ page, account }) => {
  await page.goto("/register");
  await page.getByLabel("Name on stream").fill(account.name);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Create account" }).click();

  await expect(page.getByRole("alert")).toContainText("Password");
  await expect(page.getByLabel("Password")).toHaveAttribute("aria-invalid", "true");
});

test("a wrong password is refused and the form stays", async ({ page, account }) => {
  await page.goto("/login");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill("not the one");
  await page.getByRole("button", { name: "Log in" }).click();

  await expect(page.getByRole("alert")).toHaveText("E-mail address or password is wrong.");
  await expect(page.getByLabel("E-mail")).toHaveValue(account.email);
});

test("pages behind the login ask strangers to log in", async ({ page }) => {
  for (const path of ["/dashboard", "/create", "/coach"]) {
    await page.goto(path);
    await expect(page).toHaveURL(`/login?next=${encodeURIComponent(path)}`);
  }
});

test("whoever is logged in needs no login page", async ({ page, studio }) => {
  await page.goto("/login");

  await expect(page).toHaveURL("/dashboard");
  await expect(page.getByRole("banner")).toContainText(studio.session.user.display_name);
});
