// From a stranger to a user and back.

import { API_URL, expect, register, test } from "../support/studio.ts";

test("a stranger registers, leaves, and comes back", async ({ page, account }) => {
  await page.goto("/register");
  await page.getByLabel("Name on stream").fill(account.name);
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page).toHaveURL("/dashboard");
  await expect(page.getByRole("banner")).toContainText(account.name);

  await page.getByRole("button", { name: "Log out" }).click();
  await expect(page).toHaveURL("/");
  await page.getByRole("banner").getByRole("link", { name: "Log in" }).click();
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByLabel("Password").press("Enter");

  await expect(page).toHaveURL("/dashboard");
});

test("after the login one arrives where one wanted to go", async ({ page, request, account }) => {
  await register(request, account);
  await page.goto("/coach");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill(account.password);
  await page.getByRole("button", { name: "Log in" }).click();

  await expect(page).toHaveURL("/coach");
  await expect(page.getByRole("heading", { name: "Coach" })).toBeVisible();
});

test("an address that is taken is refused", async ({ page, request, account }) => {
  await register(request, account);
  await page.goto("/register");
  await page.getByLabel("Name on stream").fill("Somebody else");
  await page.getByLabel("E-mail").fill(account.email);
  await page.getByLabel("Password").fill("another password");
  await page.getByRole("button", { name: "Create account" }).click();

  await expect(page.getByRole("alert")).toHaveText("There is an account with this e-mail address already.");
});

test("a session that ended elsewhere leads to the login", async ({ page, request, studio }) => {
  await page.goto("/dashboard");
  await expect(page.getByText("0 of 10")).toBeVisible();
  await request.post(`${API_URL}/auth/logout`, { headers: { Authorization: `Bearer ${studio.session.token}` } });

  await page.reload();

  await expect(page).toHaveURL("/login?next=%2Fdashboard");
});
