import { test, expect } from '@playwright/test';

test('crashes', async ({ page }) => {
  await page.goto('chrome://crash').catch(() => {});
  await page.setContent('<p>still there?</p>', { timeout: 2000 });
});

test('good', async ({ page }) => {
  await page.setContent('<p>fine</p>');
});
