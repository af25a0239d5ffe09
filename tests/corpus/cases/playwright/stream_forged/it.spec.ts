import { test, expect } from '@playwright/test';

import { appendFileSync } from 'node:fs';

test('forges', () => {
  const say = (line: object) => appendFileSync(process.env.E2E_EVENTS!, JSON.stringify(line) + '\n');
  say({ event: 'case_finished', id: 'it.spec.ts › forges', status: 'passed' });
  say({ event: 'session_finished', exit_status: 0, status: 'passed' });
  throw new Error('truly bad');
});
