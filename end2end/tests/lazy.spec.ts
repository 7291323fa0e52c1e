import type { Page } from '@playwright/test';

import { GONE, expect, isMarked, link, mark, open, test } from '../test';

/** The addresses of the files that single pages have for themselves, as they are asked for. */
function files(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const name = /\/pkg\/([^/]+)\/(split_\w+|chunk_\w+)\.wasm$/.exec(request.url());
    if (name) asked.push(name[2]);
  });
  return asked;
}

const tab = (page: Page, name: string) => page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name });

test('a page has its program fetched when it is first shown, and once', async ({ page }) => {
  const asked = files(page);
  await open(page);
  expect(asked).toEqual([]);
  await mark(page);
  for (let i = 0; i < 2; i++) {
    await tab(page, 'Events').click();
    await expect(page.getByRole('combobox', { name: 'kind' })).toBeVisible();
    await tab(page, 'Stats').click();
    await expect(page.getByRole('heading', { name: 'Proxies and servers' })).toBeAttached();
  }
  expect(asked).toEqual(['split_events']);
  await tab(page, 'Wall').click();
  await expect(page.getByRole('region', { name: 'Problems' })).toBeVisible();
  expect(asked).toEqual(['split_events', 'split_wall']);
  expect(await isMarked(page)).toBe(true);
});

test('a page opened by its address asks for its own program beside the other', async ({ page }) => {
  for (const name of ['events', 'wall']) {
    const asked = files(page);
    const preloads = page.locator(`head link[rel=preload][href$="/split_${name}.wasm"]`);
    await open(page, `/${name}`);
    await expect(preloads).toHaveCount(1);
    expect(asked).toEqual([`split_${name}`]);
    page.removeAllListeners('request');
  }
});

test('where another build is served meanwhile the page is loaded anew', async ({ page, guard }) => {
  guard.allow(/status of 404|HTTP status code is not ok/);
  await open(page);
  await mark(page);
  await page.route('**/split_events.wasm', (route) => route.fulfill({ status: 404 }), { times: 2 });
  await tab(page, 'Events').click();
  await expect.poll(() => isMarked(page).catch(() => true)).toBe(false);
  await expect(link(page)).toContainText('live');
  await tab(page, 'Events').click();
  await expect(page.getByRole('combobox', { name: 'kind' })).toBeVisible();
});

test('a page drawn by another build is loaded anew', async ({ page }) => {
  const other = (url: string) => url.replace(/\/pkg\/[^/]+\//, '/pkg/0.0.0-0/');
  await page.route('**/pkg/*/sluice.js', (route) => route.continue({ url: other(route.request().url()) }), { times: 1 });
  await page.goto('/stats');
  await mark(page);
  await expect.poll(() => isMarked(page).catch(() => true)).toBe(false);
  await expect(link(page)).toContainText('live');
});

test('while Sluice is away a page is waited for, and the one that is shown stays', async ({ page, sluice, guard }) => {
  guard.allow(GONE);
  guard.allow(/Failed to fetch/);
  await open(page);
  await mark(page);
  await sluice.stop();
  await expect(link(page)).toContainText('reconnecting');
  await tab(page, 'Events').click();
  await expect(page.getByRole('heading', { name: 'Proxies and servers' })).toBeAttached();
  await sluice.start();
  await expect(page.getByRole('combobox', { name: 'kind' })).toBeVisible();
  expect(await isMarked(page)).toBe(true);
});
