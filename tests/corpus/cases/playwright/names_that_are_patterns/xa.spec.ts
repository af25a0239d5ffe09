import { test, expect } from '@playwright/test';

test('other', () => {
  throw new Error('not asked for');
});
