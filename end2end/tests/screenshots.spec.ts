// Pictures for people to look at, in end2end/screenshots; what is checked is that nothing reaches over the edge.

import type { Page } from '@playwright/test';

import { NODES } from '../lab';
import { apply, bar, box, card, check, confirm, details, expect, open, openStream, outcomes, overflowing, question, row, test } from '../test';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
  { width: 834, height: 1194 },
  { width: 390, height: 844 },
];

async function shoot(page: Page, name: string): Promise<void> {
  const { width } = page.viewportSize()!;
  await page.screenshot({ path: `screenshots/${name}-${width}.png` });
  expect.soft(await overflowing(page), `${name} at ${width}`).toEqual([]);
}

for (const viewport of SIZES) {
  test.describe(`${viewport.width} px`, () => {
    const isTouch = viewport.width < 1000;
    test.use({ viewport, hasTouch: isTouch, isMobile: isTouch, colorScheme: 'light' });

    test('the stats page and its dialogs', async ({ page, lab }) => {
      await lab.keepWeb5Up();
      await lab.ask('lb1', 'set server webservers/web4 state drain; disable health static/static1; set server static/static1 health stopping');
      await open(page);
      await expect(row(page, 'lb1/webservers/web1').locator('.spark-line')).not.toHaveAttribute('d', '');
      await shoot(page, 'stats-light');
      await page.screenshot({ path: `screenshots/stats-light-full-${viewport.width}.png`, fullPage: true });
      await page.emulateMedia({ colorScheme: 'dark' });
      await check(page, 'lb1/webservers/web2', 'lb1/webservers/web5', 'lb1/api/api2');
      await shoot(page, 'stats-dark-selected');
      await apply(bar(page), 'drain');
      await expect(question(page)).toBeVisible();
      await shoot(page, 'confirm-dark');
      await page.emulateMedia({ colorScheme: 'light' });
      await shoot(page, 'confirm');
      await confirm(page);
      await expect(outcomes(page)).toBeVisible();
      await shoot(page, 'outcomes');
      await outcomes(page).getByRole('button', { name: 'Close' }).click();
      await check(page, 'lb1/db-ro/db1', 'lb1/db-ro/db2');
      await apply(bar(page), 'maint');
      await shoot(page, 'confirm-name');
      await question(page).getByRole('button', { name: 'Cancel' }).click();
      await bar(page).getByRole('button', { name: 'Clear' }).click();
      await row(page, 'lb1/webservers/web3').locator('.name').click();
      await expect(details(page).locator('dt').first()).toBeVisible();
      await shoot(page, 'details');
      await page.keyboard.press('Escape');
      await check(page, 'lb1/webservers/web1', 'lb2/webservers/web1');
      await lab.kill('lb2');
      await expect(page.locator('.notice:not(.notice-lost)')).toBeVisible();
      await apply(bar(page), 'ready');
      await expect(outcomes(page)).toContainText('unreachable');
      await shoot(page, 'outcomes-failed');
      await outcomes(page).getByRole('button', { name: 'Close' }).click();
      await bar(page).getByRole('button', { name: 'Clear' }).click();
      await page.evaluate(() => window.scrollTo(0, 0));
      await shoot(page, 'stats-node-away');
      await openStream(page, '/stats?show=problems');
      await shoot(page, 'stats-problems');
    });

    test('the wall', async ({ page, lab }) => {
      await lab.keepWeb5Up();
      await open(page, '/wall');
      await lab.ask('lb1', 'set server api/api2 state drain; set server db-ro/db1 state maint; set server db-ro/db2 state maint');
      await expect(page.locator('.tile', { hasText: 'db-ro has no server' })).toBeVisible();
      await shoot(page, 'wall');
      await lab.ask('lb1', 'set server api/api2 state ready; set server db-ro/db1 state ready; set server db-ro/db2 state ready');
      for (const node of NODES) await lab.ask(node, 'set server webservers/web3 state maint');
      await expect(page.getByRole('heading', { name: 'All is well' })).toBeVisible();
      await shoot(page, 'wall-well');
      await lab.kill('lb2');
      await expect(page.locator('.tile', { hasText: 'lb2 does not answer' })).toBeVisible();
      await shoot(page, 'wall-node-away');
      await lab.kill('lb1');
      await expect(page.locator('.wall-cover')).toBeVisible();
      await shoot(page, 'wall-cover');
    });

    test.describe('without script', () => {
      test.use({ javaScriptEnabled: false });

      test('the page and its answers', async ({ page, lab }) => {
        await lab.keepWeb5Up();
        await page.goto('/stats');
        await shoot(page, 'noscript-stats');
        await box(page, 'lb1/db-ro/db1').check();
        await box(page, 'lb1/db-ro/db2').check();
        await card(page, 'db-ro', 'lb1').getByRole('button', { name: 'Disable' }).click();
        await expect(page.getByLabel('Nothing in db-ro')).toBeVisible();
        await shoot(page, 'noscript-question');
        await page.getByLabel('Nothing in db-ro').fill('db-ro');
        await page.locator('button[type=submit]').click();
        await expect(page.getByRole('heading', { name: '2 done' })).toBeVisible();
        await shoot(page, 'noscript-outcomes');
      });
    });
  });
}
