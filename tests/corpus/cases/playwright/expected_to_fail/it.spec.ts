import { test, expect } from '@playwright/test';

test.fail('known', () => {
  expect(1).toBe(2);
});

test.fail('repaired', () => {});
