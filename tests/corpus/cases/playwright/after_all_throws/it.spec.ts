import { test, expect } from '@playwright/test';

test.afterAll(() => {
  throw new Error('left a mess');
});

test('first', () => {});

test('last', () => {});
