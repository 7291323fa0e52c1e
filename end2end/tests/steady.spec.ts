import type { Page } from '@playwright/test';

import { bar, box, card, check, expect, open, row, status, test } from '../test';

/** Lets several updates pass, with states that change among them. */
async function updates(page: Page, lab: import('../lab').Lab): Promise<void> {
  for (const [state, word] of [['drain', 'DRAIN'], ['maint', 'MAINT'], ['ready', 'UP']]) {
    await lab.ask('lb1', `set server api/api2 state ${state}`);
    await expect(status(page, 'lb1/api/api2')).toHaveText(new RegExp(`^${word}`));
  }
  // Four more polls, by the frames themselves.
  const seen = page.locator('tr[data-row="lb1/webservers/BACKEND"] .c-rate');
  for (let n = 0; n < 3; n++) await expect(seen).not.toHaveText((await seen.textContent()) ?? '');
}

test('selection, scroll position, focus and rows stay through updates', async ({ page, lab }) => {
  await open(page);
  await check(page, 'lb1/webservers/web1', 'lb1/api/api2', 'lb2/static/static1');
  const name = row(page, 'lb2/webservers/web1').locator('.name');
  await name.focus();
  await page.evaluate(() => window.scrollTo(0, 333));
  const places = () =>
    page.locator('tr[data-row]').evaluateAll((rows) => rows.map((r) => `${(r as HTMLElement).dataset.row} ${r.getBoundingClientRect().top}`));
  await page.locator('tr[data-row]').evaluateAll((rows) => rows.forEach((r, at) => ((r as any).at = at)));
  const before = await places();
  expect(before.length).toBeGreaterThan(30);
  await updates(page, lab);
  expect(await places()).toEqual(before);
  expect(await page.locator('tr[data-row]').evaluateAll((rows) => rows.every((r, at) => (r as any).at === at))).toBe(true);
  expect(await page.evaluate(() => window.scrollY)).toBe(333);
  await expect(name).toBeFocused();
  for (const target of ['lb1/webservers/web1', 'lb1/api/api2', 'lb2/static/static1']) await expect(box(page, target)).toBeChecked();
  await expect(page.locator('input[name=s]:checked')).toHaveCount(3);
  await expect(bar(page)).toContainText('3 selected');
});

test('rows do not move under the pointer while the filter would take one away', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await lab.ask('lb1', 'set server webservers/web1 state drain; set server webservers/web4 state drain');
  await open(page, '/stats?show=drain');
  await expect(row(page, 'lb1/webservers/web4')).toBeVisible();
  await row(page, 'lb1/webservers/web4').locator('.name').hover();
  const before = await row(page, 'lb1/webservers/web4').boundingBox();
  await lab.ask('lb1', 'set server webservers/web1 state ready');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await expect(row(page, 'lb1/webservers/web1')).toBeVisible();
  expect(await row(page, 'lb1/webservers/web4').boundingBox()).toEqual(before);
  await page.mouse.move(5, 5);
  await expect(row(page, 'lb1/webservers/web1')).toBeHidden();
});

test('an open list stays open through updates, and so does what was chosen', async ({ page, lab }) => {
  await open(page);
  await check(page, 'lb1/webservers/web2');
  const list = card(page, 'webservers', 'lb1').getByRole('combobox');
  await list.evaluate((e) => e.querySelectorAll('option').forEach((o, at) => ((o as any).at = at)));
  await list.click();
  expect(await list.evaluate((e) => e.matches(':open'))).toBe(true);
  await updates(page, lab);
  expect(await list.evaluate((e) => e.matches(':open'))).toBe(true);
  expect(await list.evaluate((e) => [...e.querySelectorAll('option')].every((o, at) => (o as any).at === at))).toBe(true);
  await page.keyboard.press('Escape');
  await list.selectOption('maint');
  await updates(page, lab);
  await expect(list).toHaveValue('maint');
});

test('the menu of columns stays open through updates', async ({ page, lab }) => {
  await open(page);
  const menu = page.locator('details.menu');
  await menu.locator('summary').click();
  await menu.getByRole('checkbox').first().focus();
  await updates(page, lab);
  await expect(menu).toHaveAttribute('open', '');
  await expect(menu.getByRole('checkbox').first()).toBeFocused();
});

test('what is typed into the filter stays through updates', async ({ page, lab }) => {
  await open(page);
  await page.getByRole('searchbox').pressSequentially('api');
  await fewUpdates(page, lab);
  await expect(page.getByRole('searchbox')).toHaveValue('api');
  await expect(page.getByRole('searchbox')).toBeFocused();
});

/** As above, for a page that shows the backend api alone. */
async function fewUpdates(page: Page, lab: import('../lab').Lab): Promise<void> {
  for (const [state, word] of [['drain', 'DRAIN'], ['ready', 'UP']]) {
    await lab.ask('lb1', `set server api/api2 state ${state}`);
    await expect(status(page, 'lb1/api/api2')).toHaveText(new RegExp(`^${word}`));
  }
}
