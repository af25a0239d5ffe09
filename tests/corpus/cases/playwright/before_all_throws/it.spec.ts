import { test, expect } from '@playwright/test';

test.describe('house', () => {
  test.beforeAll(() => {
    throw new Error('no ground');
  });
  test('door', () => {});
  test('roof', () => {});
});

test('garden', () => {});
