import { test, expect } from '@playwright/test';

test('forgets', async () => {
  void Promise.reject(new Error('nobody waited'));
  await new Promise(done => setTimeout(done, 200));
});

test('good', () => {});
