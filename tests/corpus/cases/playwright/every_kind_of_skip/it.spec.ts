import { test, expect } from '@playwright/test';

test.skip('never', () => {});

test.fixme('one day', () => {});

test('decides', () => {
  test.skip(true, 'decided late');
});
