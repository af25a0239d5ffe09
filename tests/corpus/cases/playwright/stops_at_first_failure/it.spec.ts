import { test, expect } from '@playwright/test';

for (const n of [1, 2, 3, 4])
  test(`number ${n}`, () => {
    expect(n).not.toBe(2);
  });
