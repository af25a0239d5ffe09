import { test, expect } from '@playwright/test';

test('opens', ({}, info) => {
  expect(info.project.name).toBe('wide');
});
