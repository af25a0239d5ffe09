import { test, expect } from '@playwright/test';

test.setTimeout(0);

test('waits', async ({ page }) => {
  await page.setContent('<p>waiting</p>');
  await new Promise(() => {});
});
