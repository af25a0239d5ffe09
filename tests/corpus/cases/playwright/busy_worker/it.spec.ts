import { test, expect } from '@playwright/test';
import { setPriority } from 'node:os';

test.setTimeout(0);

test('spins', () => {
  setPriority(19); // What runs beside it is not to pay for it.
  for (;;);
});
