import { test, expect } from '@playwright/test';

test.describe.serial('chain', () => {
  test('first', () => {});
  test('second', () => {
    throw new Error('the chain broke');
  });
  test('third', () => {});
});

test('free', () => {});
