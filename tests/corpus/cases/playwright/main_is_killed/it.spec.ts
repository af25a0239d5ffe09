import { test, expect } from '@playwright/test';

test('good', () => {});

test('kills', async () => {
  process.kill(process.ppid, 'SIGKILL');
  await new Promise(() => setInterval(() => {}, 1000));
});
