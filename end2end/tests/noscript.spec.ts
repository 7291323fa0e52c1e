import { ADMIN } from '../lab';
import { box, card, expect, row, status, test } from '../test';

test.use({ javaScriptEnabled: false });

test('the rows are in the HTML', async ({ page, request }) => {
  const html = await (await request.get('/stats')).text();
  for (const target of ['lb1/webservers/web1', 'lb2/db-ro/db2', 'lb1/www/FRONTEND']) expect(html).toContain(`data-row="${target}"`);
  await page.goto('/stats');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await expect(status(page, 'lb2/webservers/web3')).toHaveText('DOWN');
  await expect(row(page, 'lb2/webservers/web3').locator('.c-check')).toContainText('connection refused');
  await expect(page.locator('.needs-script:visible')).toHaveCount(0);
});

test('servers are drained by the form: a question, then the outcomes', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  // Without the program the page stands still, and Sluice may be one poll behind HAProxy.
  await expect(async () => {
    await page.goto('/stats');
    await expect(status(page, 'lb1/webservers/web5')).toHaveText('UP', { timeout: 500 });
  }).toPass();
  await box(page, 'lb1/webservers/web2').check();
  await box(page, 'lb1/webservers/web4').check();
  const section = card(page, 'webservers', 'lb1');
  await section.getByRole('combobox').selectOption('drain');
  await section.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByRole('heading', { name: 'Drain 2 servers?' })).toBeVisible();
  await expect(page.locator('.impacts')).toContainText('webservers on lb1' + '4 up → 2 up of 5');
  expect((await lab.server('lb1', 'webservers', 'web2')).admin).toBe(0);
  await page.getByRole('button', { name: 'Drain 2 servers' }).click();
  await expect(page.getByRole('heading', { name: 'Drain 2 servers: 2 done' })).toBeVisible();
  for (const server of ['web2', 'web4']) expect((await lab.server('lb1', 'webservers', server)).admin & ADMIN.DRAIN).toBe(ADMIN.DRAIN);
  await page.getByRole('link', { name: 'Back to the servers' }).click();
  await expect(page).toHaveURL(/\/stats$/);
  await expect(status(page, 'lb1/webservers/web2')).toHaveText('DRAIN');

  await box(page, 'lb1/webservers/web2').check();
  await section.getByRole('button', { name: 'Enable' }).click();
  await expect(page.getByRole('heading', { name: 'Set 1 server to READY: 1 done' })).toBeVisible();
  expect((await lab.server('lb1', 'webservers', 'web2')).admin).toBe(0);
});

test('the name of a backend that would have no server left is asked for', async ({ page, lab }) => {
  await page.goto('/stats?q=db-ro&node=lb1');
  await box(page, 'lb1/db-ro/db1').check();
  await box(page, 'lb1/db-ro/db2').check();
  await card(page, 'db-ro', 'lb1').getByRole('button', { name: 'Disable' }).click();
  const go = page.getByRole('button', { name: 'Set 2 servers to MAINT' });
  await page.getByLabel('Nothing in db-ro').fill('db');
  await go.click();
  await expect(page.getByText('The name was not typed as it is written')).toBeVisible();
  expect((await lab.server('lb1', 'db-ro', 'db1')).admin).toBe(0);
  await page.getByLabel('Nothing in db-ro').fill('db-ro');
  await go.click();
  await expect(page.getByRole('heading', { name: 'Set 2 servers to MAINT: 2 done' })).toBeVisible();
  expect((await lab.server('lb1', 'db-ro', 'db1')).admin & ADMIN.MAINT).toBe(ADMIN.MAINT);
});

test('what failed can be tried again', async ({ page, lab }) => {
  await lab.kill('lb2');
  await page.goto('/stats');
  await box(page, 'lb2/webservers/web2').check();
  await card(page, 'webservers', 'lb2').getByRole('button', { name: 'Enable' }).click();
  await expect(page.getByRole('heading', { name: 'Set 1 server to READY: 1 unreachable' })).toBeVisible();
  await lab.start('lb2');
  await expect(async () => {
    await page.getByRole('button', { name: 'Retry 1 server' }).click();
    await expect(page.getByRole('heading', { name: /: 1 (done|unchanged)/ })).toBeVisible({ timeout: 500 });
  }).toPass();
});

test('nothing checked, or nothing chosen, says so', async ({ page, guard }) => {
  guard.allow(/status of 400/);
  await page.goto('/stats');
  await card(page, 'webservers', 'lb1').getByRole('button', { name: 'Disable' }).click();
  await expect(page.getByText('No server was checked')).toBeVisible();
  await page.getByRole('link', { name: 'Back to the servers' }).click();
  await box(page, 'lb1/webservers/web2').check();
  await card(page, 'webservers', 'lb1').getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('No action was chosen')).toBeVisible();
});

test('filters work by address, by chip and by the search form', async ({ page }) => {
  const shown = () => page.locator('tr[data-row]:visible').evaluateAll((rows) => rows.map((r) => (r as HTMLElement).dataset.row));
  await page.goto('/stats?q=web2&node=lb1');
  await expect(row(page, 'lb1/webservers/web2')).toBeVisible();
  expect(await shown()).toEqual(['lb1/webservers/web2']);
  await page.goto('/stats');
  await page.getByRole('navigation', { name: 'Filters' }).getByRole('link', { name: /^Maint/ }).click();
  await expect(page).toHaveURL(/show=maint/);
  expect(await shown()).toEqual(['lb1/static/static2', 'lb2/static/static2']);
  await page.getByRole('searchbox').fill('static2');
  await page.getByRole('searchbox').press('Enter');
  await expect(page).toHaveURL(/q=static2&show=maint/);
  expect(await shown()).toEqual(['lb1/static/static2', 'lb2/static/static2']);
});
