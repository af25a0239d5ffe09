import { defineConfig } from '@playwright/test';

export default defineConfig({
  workers: 1,
  reporter: 'line',
  webServer: { command: 'node -e "process.exit(9)"', url: 'http://127.0.0.1:39992', timeout: 20000 },
});
