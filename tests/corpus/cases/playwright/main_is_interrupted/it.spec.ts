import { test, expect } from '@playwright/test';

test('good', () => {});

test('interrupts', async () => {
  process.kill(process.ppid, 'SIGINT');
  await new Promise(() => setInterval(() => {}, 1000));
});

test('after', () => {});
