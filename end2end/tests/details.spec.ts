import { details, expect, open, row, test } from '../test';

test('a click shows every column by the name that HAProxy gives it', async ({ page, lab }) => {
  await open(page);
  for (const [target, proxy, name] of [
    ['lb1/webservers/web1', 'webservers', 'web1'],
    ['lb1/webservers/BACKEND', 'webservers', 'BACKEND'],
    ['lb1/www/FRONTEND', 'www', 'FRONTEND'],
    ['lb1/webservers/web3', 'webservers', 'web3'],
  ]) {
    await row(page, target).locator('.name').click();
    await expect(details(page)).toBeVisible();
    await expect(details(page)).toContainText(`${proxy} on lb1`);
    await expect(async () => {
      const columns = Object.entries(await lab.stat('lb1', proxy, name)).filter(([, value]) => value !== '').map(([name]) => name);
      expect(columns.length).toBeGreaterThan(30);
      expect((await details(page).locator('dt').allTextContents()).sort()).toEqual(columns.sort());
    }).toPass({ timeout: 15_000 });
    await expect(details(page).locator('div').filter({ has: page.locator('dt', { hasText: /^svname$/ }) }).locator('dd').last()).toHaveText(name);
    await details(page).getByRole('button', { name: 'Close' }).click();
    await expect(details(page)).toBeHidden();
  }
});

test('the details stay where they were scrolled to, and go on', async ({ page }) => {
  await open(page);
  await row(page, 'lb1/webservers/web1').locator('.name').click();
  await expect(details(page).locator('dt').first()).toBeVisible();
  await details(page).evaluate((e) => e.scrollTo(0, 400));
  const stot = details(page).locator('div').filter({ has: page.locator('dt', { hasText: /^stot$/ }) }).last();
  const before = (await stot.textContent()) ?? '';
  await expect(stot).not.toHaveText(before);
  await expect(stot).not.toHaveText((await stot.textContent()) ?? '');
  expect(await details(page).evaluate((e) => e.scrollTop)).toBe(400);
});

test('the menu of columns adds the stats page\'s groups, and they are kept', async ({ page }) => {
  await open(page);
  const menu = page.locator('details.menu');
  const groups = ['Queue', 'Session rate', 'Sessions', 'Bytes', 'Denied', 'Errors', 'Warnings', 'Server'];
  const head = page.locator('table', { has: row(page, 'lb1/webservers/web1') }).locator('thead');
  const cells = row(page, 'lb1/webservers/web1').locator('td.c-extra');
  await expect(cells).toHaveCount(0);
  await menu.locator('summary').click();
  for (const group of groups) await menu.locator('label', { hasText: new RegExp(`^${group}`) }).first().getByRole('checkbox').check();
  await expect(head.getByText('LbTot')).toBeVisible();
  await expect(head.getByText('Denied')).toBeAttached();
  await expect(cells).toHaveCount(22);
  await page.reload();
  await expect(cells).toHaveCount(22);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
});

test('light and dark are switched, and the server remembers', async ({ page }) => {
  await page.emulateMedia({ colorScheme: 'light' });
  await open(page);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByRole('button', { name: 'Switch between light and dark' }).click();
  expect(await ground()).not.toBe(light);
  await open(page);
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
  expect(await ground()).not.toBe(light);
});
