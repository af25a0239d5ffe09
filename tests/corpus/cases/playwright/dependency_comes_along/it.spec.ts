import { test, expect } from '@playwright/test';

test.skip('one', () => {});
