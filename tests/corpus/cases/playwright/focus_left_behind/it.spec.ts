import { test, expect } from '@playwright/test';

test.only('one', () => {});

test('two', () => {});
