import { test, expect } from '@playwright/test';

test('endless', async () => {
  test.setTimeout(300);
  await new Promise(() => setInterval(() => {}, 1000));
});

test('good', () => {});
