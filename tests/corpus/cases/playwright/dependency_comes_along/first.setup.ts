import { test, expect } from '@playwright/test';

test('log in', () => {});
