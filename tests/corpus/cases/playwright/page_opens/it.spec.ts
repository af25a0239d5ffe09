import { test, expect } from '@playwright/test';

test('opens', async ({ page }) => {
  await page.setContent('<button onclick="this.textContent=\'done\'">go</button>');
  await page.getByRole('button').click();
  await expect(page.getByRole('button')).toHaveText('done');
});

test('misses', async ({ page }) => {
  await page.setContent('<p>empty</p>');
  await expect(page.getByRole('button')).toBeVisible({ timeout: 300 });
});
