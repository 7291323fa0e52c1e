import { expect, open, row, test } from '../test';

const shown = (page: import('@playwright/test').Page) =>
  page.locator('tr[data-row]:visible').evaluateAll((rows) => rows.map((r) => (r as HTMLElement).dataset.row));
const chip = (page: import('@playwright/test').Page, name: string) =>
  page.getByRole('navigation', { name: 'Filters' }).getByRole('link', { name: new RegExp(`^${name} \\d+$`) });

test('chips filter by state, the address says so, and Back goes back', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await lab.ask('lb1', 'set server api/api2 state drain');
  await open(page);
  await expect(chip(page, 'Down')).toHaveText('Down 2');
  await chip(page, 'Down').click();
  await expect(page).toHaveURL(/\/stats\?show=down$/);
  await expect.poll(() => shown(page)).toEqual(['lb1/webservers/web3', 'lb2/webservers/web3']);
  await chip(page, 'Problems').click();
  await expect(page).toHaveURL(/\?show=problems$/);
  await expect.poll(() => shown(page)).toEqual(['lb1/webservers/web3', 'lb1/api/api2', 'lb2/webservers/web3']);
  await chip(page, 'Maint').click();
  await expect(page).toHaveURL(/\?show=maint$/);
  await expect.poll(() => shown(page)).toEqual(['lb1/static/static2', 'lb2/static/static2']);
  await page.goBack();
  await expect(page).toHaveURL(/\?show=problems$/);
  await expect.poll(async () => (await shown(page)).length).toBe(3);
  await page.goBack();
  await expect(page).toHaveURL(/\?show=down$/);
  await page.goBack();
  await expect(page).toHaveURL(/\/stats$/);
  await expect.poll(async () => (await shown(page)).length).toBeGreaterThan(30);
  await expect(chip(page, 'All')).toHaveClass(/chip-on/);
});

test('text finds backends, servers and addresses, and the address carries it', async ({ page, lab }) => {
  await open(page);
  const find = page.getByRole('searchbox');
  await find.fill('WEB4');
  await expect(page).toHaveURL(/\?q=web4$/i);
  await expect.poll(() => shown(page)).toEqual(['lb1/webservers/web4', 'lb2/webservers/web4']);
  const addr = (await lab.stat('lb1', 'api', 'api1')).addr;
  await find.fill(addr);
  await expect.poll(() => shown(page)).toEqual(['lb1/api/api1', 'lb2/api/api1']);
  await find.fill('no such thing');
  await expect(page.getByText('fits the filter')).toBeVisible();
  await page.getByRole('link', { name: 'Show everything' }).click();
  await expect(page).toHaveURL(/\/stats$/);
  await expect(find).toHaveValue('');
  await expect(row(page, 'lb1/webservers/web1')).toBeVisible();
});

test('one node is chosen, together with the other filters', async ({ page }) => {
  await open(page);
  await page.getByRole('combobox', { name: 'Node', exact: true }).selectOption('lb2');
  await expect(page).toHaveURL(/\?node=lb2$/);
  await expect(row(page, 'lb1/webservers/web1')).toBeHidden();
  await page.getByRole('searchbox').fill('web3');
  await chip(page, 'Down').click();
  await expect.poll(() => shown(page)).toEqual(['lb2/webservers/web3']);
  const address = new URL(page.url()).searchParams;
  expect(Object.fromEntries(address)).toEqual({ q: 'web3', show: 'down', node: 'lb2' });
});

test('an address that was passed on shows the same, and by name all servers shown are selected', async ({ page }) => {
  await open(page, '/stats?q=web2&node=lb1');
  expect(await shown(page)).toEqual(['lb1/webservers/web2']);
  await expect(page.getByRole('searchbox')).toHaveValue('web2');
  await expect(page.getByRole('combobox', { name: 'Node', exact: true })).toHaveValue('lb1');
  await page.getByRole('checkbox', { name: 'Select all servers shown' }).and(page.locator(':visible')).check();
  await expect(page.locator('input[name=s]:checked')).toHaveCount(1);
  await page.getByRole('searchbox').fill('');
  await expect(row(page, 'lb1/webservers/web1')).toBeVisible();
  await expect(page.locator('input[name=s]:checked')).toHaveCount(1);
});
