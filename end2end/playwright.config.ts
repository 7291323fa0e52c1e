import { defineConfig } from '@playwright/test';

// Two workers, each with a lab of its own: the tests of a worker stop and start the same two HAProxy processes.
export default defineConfig({
  testDir: 'tests',
  workers: 2,
  forbidOnly: !!process.env.CI,
  timeout: 60_000,
  // Time for two busy cores. What has to happen within a time says so itself.
  expect: { timeout: 15_000 },
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    viewport: { width: 1280, height: 800 },
    actionTimeout: 15_000,
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
