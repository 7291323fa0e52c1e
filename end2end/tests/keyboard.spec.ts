import type { Locator, Page } from '@playwright/test';

import { ADMIN } from '../lab';
import { bar, box, card, check, expect, open, outcomes, question, status, test } from '../test';

/** Presses Tab until the focus is there. */
async function tabTo(page: Page, where: Locator, most = 120): Promise<void> {
  const isThere = () => where.evaluate((e) => e === document.activeElement);
  for (let n = 0; n < most && !(await isThere()); n++) await page.keyboard.press('Tab');
  await expect(where).toBeFocused();
}

test('servers are found, selected, drained and let go by keyboard alone', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  const find = page.getByRole('searchbox');
  const [one, two] = ['lb1/webservers/web1', 'lb1/webservers/web2'];
  const foot = card(page, 'webservers', 'lb1').locator('.card-foot');

  await page.keyboard.press('/');
  await expect(find).toBeFocused();
  await expect(find).toHaveValue('');
  await page.keyboard.type('webs');
  await expect(card(page, 'api', 'lb1')).toBeHidden();
  await tabTo(page, box(page, one));
  await page.keyboard.press('Space');
  await expect(box(page, one)).toBeChecked();
  await tabTo(page, box(page, two));
  await page.keyboard.press('Space');
  await expect(bar(page)).toContainText('2 selected');

  await tabTo(page, foot.getByRole('combobox'));
  await page.keyboard.type('Set state to D');
  await expect(foot.getByRole('combobox')).toHaveValue('drain');
  await tabTo(page, foot.getByRole('button', { name: 'Apply' }));
  await page.keyboard.press('Enter');
  await expect(question(page)).toBeVisible();

  // The first Esc is the dialog's, the second the selection's.
  await page.keyboard.press('Escape');
  await expect(question(page)).toBeHidden();
  await expect(box(page, one)).toBeChecked();
  await expect(foot.getByRole('button', { name: 'Apply' })).toBeFocused();

  await page.keyboard.press('Enter');
  await expect(question(page)).toBeVisible();
  await tabTo(page, question(page).getByRole('button', { name: 'Drain 2 servers' }));
  await page.keyboard.press('Enter');
  await expect(outcomes(page).getByRole('heading')).toHaveText('Drain 2 servers: 2 done');
  await expect(status(page, one)).toHaveText('DRAIN');
  expect((await lab.server('lb1', 'webservers', 'web1')).admin & ADMIN.DRAIN).toBe(ADMIN.DRAIN);

  await tabTo(page, outcomes(page).getByRole('button', { name: 'Close' }));
  await page.keyboard.press('Enter');
  await expect(outcomes(page)).toBeHidden();
});

test('Esc clears the selection, and in the filter the filter', async ({ page }) => {
  await open(page);
  await check(page, 'lb1/webservers/web1', 'lb1/api/api1');
  await page.keyboard.press('/');
  await page.keyboard.type('api');
  await expect(card(page, 'webservers', 'lb1')).toBeHidden();
  await page.keyboard.press('Escape');
  await expect(card(page, 'webservers', 'lb1')).toBeVisible();
  await expect(bar(page)).toContainText('2 selected');
  await box(page, 'lb1/webservers/web1').focus();
  await page.keyboard.press('Escape');
  await expect(bar(page)).toBeHidden();
  await expect(box(page, 'lb1/webservers/web1')).not.toBeChecked();
});

test('a slash in a field is a slash', async ({ page }) => {
  await open(page);
  await page.keyboard.press('/');
  await page.keyboard.type('a/b');
  await expect(page.getByRole('searchbox')).toHaveValue('a/b');
});

test('Enter on a checkbox does not act', async ({ page, lab }) => {
  await lab.ask('lb1', 'set server webservers/web2 state drain');
  await open(page);
  await expect(status(page, 'lb1/webservers/web2')).toHaveText('DRAIN');
  await check(page, 'lb1/webservers/web2');
  await box(page, 'lb1/webservers/web2').focus();
  const posted = page.waitForRequest('**/api/v1/actions', { timeout: 2_000 }).then(() => 'acted', () => 'nothing');
  await page.keyboard.press('Enter');
  expect(await posted).toBe('nothing');
  expect((await lab.server('lb1', 'webservers', 'web2')).admin & ADMIN.DRAIN).toBe(ADMIN.DRAIN);
});

test('the focus is back where it was when the details are closed', async ({ page }) => {
  await open(page);
  const name = page.locator('tr[data-row="lb1/webservers/web1"] .name');
  await name.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(name).toBeFocused();
});
