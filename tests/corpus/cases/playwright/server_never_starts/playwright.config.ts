import { defineConfig } from '@playwright/test';

export default defineConfig({
  workers: 1,
  reporter: 'line',
  webServer: {
    command: 'node -e "setInterval(() => {}, 1000)" corpus-silent-server',
    url: 'http://127.0.0.1:39991',
    timeout: 1500,
  },
});
