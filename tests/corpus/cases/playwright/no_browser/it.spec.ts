import { test, expect } from '@playwright/test';

test('opens', async ({ page }) => {
  await page.goto('about:blank');
});
