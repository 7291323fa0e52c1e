import { card, expect, expectAccessible, box, overflowing, test } from '../test';

const entries = 'tbody tr';

/** Drains web2 on lb1, with a reason, as a program does. */
async function drain(request: { post(url: string, options: object): Promise<{ ok(): boolean }> }): Promise<void> {
  const post = { action: 'drain', reason: 'a new "kernel" <b>now</b>', targets: [{ node: 'lb1', backend: 'webservers', server: 'web2' }] };
  expect((await request.post('/api/v1/actions', { data: post })).ok()).toBe(true);
}

test('an operation is in the audit log with its reason and what became of it, and the filter finds it', async ({ page }) => {
  await drain(page.request);
  await page.goto('/audit');
  await expect(page.getByText('Times are in UTC.')).toBeVisible();
  const [outcome, operation] = [page.locator(entries).nth(0), page.locator(entries).nth(1)];
  await expect(outcome).toContainText('outcome');
  await expect(outcome).toContainText('lb1/webservers/web2 done');
  await expect(operation).toContainText('Set state to DRAIN');
  await expect(operation).toContainText('a new "kernel" <b>now</b>');
  await expect(operation).toContainText('127.0.0.1');
  await expectAccessible(page, 'the audit log');

  await page.getByLabel('Kind').selectOption('operation');
  await page.getByLabel('Target has').fill('WEB2');
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page).toHaveURL(/kind=operation/);
  await expect(page.locator(entries).first()).toContainText('lb1/webservers/web2');
  await expect(page.locator(entries).filter({ hasText: 'outcome' })).toHaveCount(0);
  await expect(page.getByLabel('Target has')).toHaveValue('WEB2');

  await page.getByLabel('Target has').fill('no-such-server');
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page.getByText('No entry fits the filter.')).toBeVisible();
  await page.getByRole('link', { name: 'Clear' }).click();
  await expect(page).toHaveURL(/\/audit$/);
});

test('the page is opened from the others, and its filter comes along into the export', async ({ page }) => {
  await drain(page.request);
  await page.goto('/stats');
  await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Audit' }).click();
  await expect(page).toHaveURL(/\/audit$/);
  await expect(page.locator(entries).first()).toBeVisible();
  await page.goto('/audit?kind=operation&target=web2');
  const started = page.waitForEvent('download');
  await page.getByRole('link', { name: 'Export CSV' }).click();
  const download = await started;
  expect(download.suggestedFilename()).toBe('sluice-audit.csv');
  const stream = await download.createReadStream();
  let text = '';
  for await (const part of stream) text += part;
  const lines = text.trim().split('\r\n');
  expect(lines[0]).toBe('id,time,kind,who,role,means,address,action,operation,targets,reason,outcome,detail,hash');
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines.slice(1)) expect(line).toContain(',operation,');
});

test('what was denied is in the audit log too', async ({ page }) => {
  const post = { action: 'maint', targets: [{ node: 'lb1', backend: 'webservers', server: 'web99' }] };
  expect((await page.request.post('/api/v1/actions', { data: post })).status()).toBe(404);
  await page.goto('/audit?kind=refusal');
  await expect(page.locator(entries).first()).toContainText('lb1/webservers/web99');
  await expect(page.locator(entries).first()).toContainText('there is no server');
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('the form of the page is recorded as the program is', async ({ page, lab }) => {
    await lab.keepWeb5Up();
    await page.goto('/stats');
    await box(page, 'lb1/webservers/web2').check();
    await card(page, 'webservers', 'lb1').getByRole('button', { name: 'Enable' }).click();
    await expect(page.getByRole('heading', { name: /Set 1 server to READY/ })).toBeVisible();
    await page.goto('/audit?action=ready');
    await expect(page.locator(entries).nth(1)).toContainText('lb1/webservers/web2');
  });
});

for (const viewport of [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
]) {
  test.describe(`${viewport.width} px`, () => {
    test.use({ viewport });

    test('the audit log fits', async ({ page }) => {
      const servers = ['web1', 'web2', 'web3', 'web4'];
      const targets = servers.map((server) => ({ node: 'lb2', backend: 'webservers', server }));
      await page.request.post('/api/v1/actions', { data: { action: 'ready', targets, reason: 'a reason with averyveryveryverylongwordthatdoesnotbreakbyitself' } });
      await page.goto('/audit');
      await page.getByText('4 servers').first().click();
      await expect(page.getByText('lb2/webservers/web4').first()).toBeVisible();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `screenshots/audit-${colorScheme}-${viewport.width}.png` });
      }
      expect(await overflowing(page)).toEqual([]);
      await expectAccessible(page, 'the audit log');
    });
  });
}
