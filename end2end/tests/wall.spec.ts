import type { Page } from '@playwright/test';

import { NODES } from '../lab';
import { GONE, expect, isMarked, mark, open, test } from '../test';

/** The wall must tell within this time. */
const SOON = { timeout: 5_000 };

test.use({ viewport: { width: 1920, height: 1080 } });

test.use({ isCluster: true });

const headline = (page: Page) => page.getByRole('heading', { level: 1 });
const tile = (page: Page, text: string) => page.locator('.tile', { hasText: text });
const cover = (page: Page) => page.locator('.wall-cover');

test('problems are shown worst first, and all is well when there are none', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page, '/wall');
  await expect(headline(page)).toHaveText('1 problem');
  await expect(tile(page, 'webservers / web3 is down')).toContainText('connection refused');
  await expect(tile(page, 'webservers / web3 is down')).toContainText('lb1 and lb2');
  await lab.ask('lb1', 'set server api/api1 state drain');
  await expect(headline(page)).toHaveText('2 problems');
  await expect(page.locator('.tile h2')).toHaveText(['webservers / web3 is down', 'api / api1 is draining']);
  await lab.ask('lb1', 'set server db-ro/db1 state maint; set server db-ro/db2 state maint');
  await expect(page.locator('.tile h2').first()).toHaveText('db-ro has no server');
  await lab.ask('lb1', 'set server db-ro/db1 state ready; set server db-ro/db2 state ready; set server api/api1 state ready');
  for (const node of NODES) await lab.ask(node, 'set server webservers/web3 state maint');
  await expect(headline(page)).toHaveText('All is well');
  await expect(page.locator('.tile')).toHaveCount(0);
  await expect(page.getByText('Every server that should take traffic does.')).toBeVisible();
});

test('requests of a node that does not answer are not counted', async ({ page, lab }) => {
  await open(page, '/wall');
  const rate = async () => Number(await page.locator('.wall-chart b').last().textContent());
  await expect.poll(rate).toBeGreaterThan(110);
  await lab.kill('lb2');
  await expect(tile(page, 'lb2 does not answer')).toBeVisible();
  // A node gets 60 to 90 a second.
  await expect.poll(rate).toBeLessThan(110);
});

for (const how of ['killed', 'frozen'] as const) {
  test(`a node that is ${how} is told within five seconds, and gone when it is back`, async ({ page, lab }) => {
    await open(page, '/wall');
    await mark(page);
    if (how === 'killed') await lab.kill('lb2');
    else lab.freeze('lb2');
    await expect(tile(page, 'lb2 does not answer')).toBeVisible(SOON);
    await expect(cover(page)).toBeHidden();
    await expect(page.locator('.tile h2').first()).toHaveText('lb2 does not answer');
    if (how === 'killed') await lab.start('lb2');
    else lab.thaw('lb2');
    await expect(tile(page, 'lb2 does not answer')).toBeHidden();
    expect(await isMarked(page)).toBe(true);
  });

  test(`both nodes ${how} cover the wall within five seconds, until one is back`, async ({ page, lab }) => {
    await open(page, '/wall');
    if (how === 'killed') await Promise.all(NODES.map((node) => lab.kill(node)));
    else NODES.forEach((node) => lab.freeze(node));
    await expect(cover(page)).toBeVisible(SOON);
    await expect(cover(page)).toContainText('No HAProxy answers');
    for (const node of NODES) await (how === 'killed' ? lab.start(node) : lab.thaw(node));
    await expect(cover(page)).toBeHidden();
    await expect(page.getByTestId('link')).toContainText('live');
  });
}

for (const signal of ['SIGTERM', 'SIGKILL', 'SIGSTOP'] as const) {
  test(`Sluice away by ${signal} covers the wall within five seconds, until it is back`, async ({ page, sluice, guard }) => {
    guard.allow(GONE);
    await open(page, '/wall');
    await mark(page);
    sluice.signal(signal);
    await expect(cover(page)).toBeVisible(SOON);
    if (signal === 'SIGSTOP') sluice.signal('SIGCONT');
    else {
      await sluice.stop();
      await sluice.start();
    }
    await expect(cover(page)).toBeHidden();
    await expect(page.getByTestId('link')).toContainText('live');
    expect(await isMarked(page)).toBe(true);
  });
}
