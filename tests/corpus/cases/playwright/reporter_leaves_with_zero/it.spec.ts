import { test, expect } from '@playwright/test';

test('one', () => {});

test('two', () => {
  expect(1, 'really different').toBe(2);
});
