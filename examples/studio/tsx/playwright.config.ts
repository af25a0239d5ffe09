import { defineConfig, devices } from "@playwright/test";

const { CHROMIUM_PATH, CI, WEB_URL } = process.env;

// Chromium's sandbox refuses to run as root, which is who a container often is.
const isRoot = process.getuid?.() === 0;

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  forbidOnly: Boolean(CI),
  retries: 0,
  workers: 1,
  timeout: 20_000,
  reporter: "list",
  use: {
    ...devices["Desktop Chrome"],
    baseURL: WEB_URL || "http://127.0.0.1:3710",
    screenshot: "only-on-failure",
    trace: "off",
    launchOptions: {
      executablePath: CHROMIUM_PATH || undefined,
      args: isRoot ? ["--no-sandbox"] : [],
    },
  },
});
