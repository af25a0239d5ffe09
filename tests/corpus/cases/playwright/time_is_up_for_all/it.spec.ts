import { test, expect } from '@playwright/test';

test.setTimeout(0);

test('quick', () => {});

test('endless', async () => {
  await new Promise(() => setInterval(() => {}, 1000));
});

test('after', () => {});
