import { test, expect } from '@playwright/test';

test('log in', () => {
  throw new Error('wrong password');
});
