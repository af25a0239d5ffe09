import { test, expect } from '@playwright/test';

test.setTimeout(0);

test('spins', () => {
  for (;;);
});
