import { test, expect } from '@playwright/test';

import { spawn } from 'node:child_process';

test('leaves', () => {
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'corpus-node-daemon'], { detached: true, stdio: 'ignore', env: {} }).unref();
});
