import { test, expect } from '@playwright/test';

const secret = process.env.CORPUS_API_TOKEN ?? '';

test('shows', async ({}, info) => {
  console.log(`using ${secret}`);
  await info.attach('log', { body: `token ${secret}`, contentType: 'text/plain' });
  throw new Error(`refused ${secret}`);
});
