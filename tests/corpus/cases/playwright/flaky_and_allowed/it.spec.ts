import { test, expect } from '@playwright/test';

test('moody', ({}, info) => {
  expect(info.retry, 'not before coffee').toBe(1);
});

test('steady', () => {});
