import { defineConfig } from '@playwright/test';

export default defineConfig({
  workers: 1,
  reporter: 'line',
  projects: [
    { name: 'first', testMatch: 'first.setup.ts' },
    { name: 'real', dependencies: ['first'] },
  ],
});
