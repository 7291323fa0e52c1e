// Two nodes as one cluster: a row for both, opened to its nodes, and what happens when they disagree or one is away.

import { ADMIN } from '../lab';
import { apply, bar, box, card, check, confirm, details, expect, expectAccessible, open, outcomes, overflowing, question, row, status, test } from '../test';

test.use({ isCluster: true });

const WEB1 = '@edge/webservers/web1';
const chips = (page: Parameters<typeof row>[0], target: string) => row(page, target).locator('.nodes');

test('a server of both nodes is one row, its figures are sums', async ({ page, lab }) => {
  await open(page);
  await expect(page.locator('tr[data-row$="/webservers/web1"]')).toHaveCount(1);
  await expect(chips(page, WEB1).locator('.st')).toHaveCount(2);
  await expect(chips(page, WEB1)).toHaveAttribute('title', 'lb1 UP, lb2 UP');
  await expect(card(page, 'webservers', 'edge')).toContainText('edge · 2 nodes');
  // A counter that both nodes count, and that no traffic changes while it is read: the limit of a frontend's sessions.
  const limits = await Promise.all((['lb1', 'lb2'] as const).map(async (n) => Number((await lab.stat(n, 'www', 'FRONTEND')).slim)));
  await expect(row(page, '@edge/www/FRONTEND').locator('.c-now title')).toHaveText(new RegExp(`of ${(limits[0] + limits[1]).toLocaleString('en')}$`));
});

test('a row opens to its nodes, and one of them can be acted on', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  await chips(page, WEB1).click();
  for (const node of ['lb1', 'lb2']) {
    await expect(status(page, `${node}/webservers/web1`)).toHaveText('UP');
    // A figure that only the node's own topic brings.
    await expect(row(page, `${node}/webservers/web1`).locator('.c-max span')).toHaveText(/\d/);
  }
  await check(page, 'lb2/webservers/web1');
  await expect(box(page, WEB1)).not.toBeChecked();
  await expect(bar(page)).toContainText('1 selected');
  await apply(bar(page), 'drain');
  await confirm(page);
  await expect(outcomes(page).getByRole('listitem')).toHaveCount(1);
  await expect(status(page, 'lb2/webservers/web1')).toHaveText('DRAIN');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  expect((await lab.server('lb1', 'webservers', 'web1')).admin).toBe(0);
  await chips(page, WEB1).click();
  await expect(row(page, 'lb2/webservers/web1')).toHaveCount(0);
});

test('nodes that disagree are flagged and brought together', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  await lab.ask('lb1', 'set server webservers/web1 state drain');
  await expect(row(page, WEB1).locator('.c-check')).toContainText('drain on lb1, up on lb2');
  await expect(status(page, WEB1)).toHaveText('DRAIN');
  await expect(row(page, WEB1).locator('.since')).toHaveText('on 1 of 2');
  await row(page, WEB1).getByRole('button', { name: 'Align' }).click();
  const dialog = page.getByRole('dialog', { name: /One state for webservers\/web1/ });
  await expect(dialog).toContainText('Now: drain on lb1, up on lb2.');
  await dialog.getByRole('button', { name: 'READY' }).click();
  await expect(outcomes(page).getByRole('listitem')).toHaveCount(2);
  await expect(outcomes(page).getByRole('heading')).toHaveText('Set 2 servers to READY: 1 done, 1 unchanged');
  await expect(status(page, WEB1)).toHaveText('UP');
  await expect(row(page, WEB1).getByRole('button', { name: 'Align' })).toHaveCount(0);
  expect((await lab.server('lb1', 'webservers', 'web1')).admin).toBe(0);
});

test('an action on a merged row goes to every node that has the server', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  await check(page, '@edge/webservers/web2');
  await expect(bar(page)).toContainText('2 selected in 2 backends');
  await apply(card(page, 'webservers', 'edge'), 'maint');
  await expect(question(page).locator('.impacts')).toContainText('webservers on lb1' + '4 up → 3 up of 5');
  await expect(question(page).locator('.impacts')).toContainText('webservers on lb2' + '4 up → 3 up of 5');
  await confirm(page);
  await expect(outcomes(page).getByRole('heading')).toHaveText('Set 2 servers to MAINT: 2 done');
  await expect(status(page, '@edge/webservers/web2')).toHaveText('MAINT');
  for (const node of ['lb1', 'lb2'] as const) expect((await lab.server(node, 'webservers', 'web2')).admin & ADMIN.MAINT).toBe(ADMIN.MAINT);
});

test('a node that is away is said to be left out of the sums', async ({ page, lab }) => {
  await open(page);
  await lab.kill('lb2');
  await expect(card(page, 'webservers', 'edge')).toContainText('sums of 1 of 2 nodes');
  await expect(chips(page, WEB1)).toHaveAttribute('title', /lb1 UP, lb2 silent, was UP/);
  await expect(page.locator('.notice:not(.notice-lost)')).toContainText('lb2');
  await lab.start('lb2');
  await expect(card(page, 'webservers', 'edge')).toContainText('edge · 2 nodes');
});

test('one node alone shows its own rows', async ({ page }) => {
  await open(page, '/stats?node=lb2');
  await expect(status(page, 'lb2/webservers/web1')).toHaveText('UP');
  await expect(page.locator('tr[data-row^="@edge"]')).toHaveCount(0);
  await expect(page.locator('tr[data-row^="lb1"]')).toHaveCount(0);
  await expect(row(page, 'lb2/webservers/web1').locator('.c-max span')).toHaveText(/\d/);
  await page.getByLabel('Node', { exact: true }).selectOption('lb1');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await page.getByLabel('Node', { exact: true }).selectOption('');
  await expect(status(page, WEB1)).toHaveText('UP');
});

test('details tell what each node says, and lead to its figures', async ({ page }) => {
  await open(page);
  await row(page, '@edge/webservers/web3').locator('.name').click();
  await expect(details(page)).toContainText(/Down for .*: connection refused on .*both nodes agree\./);
  await details(page).getByRole('button', { name: 'Every figure' }).first().click();
  await expect(details(page).locator('dt', { hasText: 'check_status' })).toBeVisible();
  await expect(details(page)).toContainText('webservers on lb1');
});

for (const width of [1280, 834, 390]) {
  test(`pictures at ${width} px: opened, disagreeing, one node away`, async ({ page, lab }) => {
    await page.setViewportSize({ width, height: 1000 });
    await lab.ask('lb1', 'set server webservers/web1 state drain');
    await open(page);
    await chips(page, WEB1).click();
    await expect(row(page, 'lb2/webservers/web1').locator('.c-max span')).toHaveText(/\d/);
    await page.screenshot({ path: `screenshots/cluster-${width}.png` });
    expect.soft(await overflowing(page)).toEqual([]);
    await expectAccessible(page, `a cluster at ${width}`);
    await lab.kill('lb2');
    await expect(card(page, 'webservers', 'edge')).toContainText('sums of 1 of 2 nodes');
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.screenshot({ path: `screenshots/cluster-away-dark-${width}.png` });
    await expectAccessible(page, `a cluster without a node at ${width}`);
  });
}

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('a merged row is acted on by the form, on every node', async ({ page, lab }) => {
    await page.goto('/stats');
    await box(page, '@edge/static/static1').check();
    await card(page, 'static', 'edge').getByRole('button', { name: 'Disable' }).click();
    await page.getByRole('button', { name: /^Set 2 servers to MAINT/ }).click();
    await expect(page.getByRole('heading', { name: 'Set 2 servers to MAINT: 2 done' })).toBeVisible();
    for (const node of ['lb1', 'lb2'] as const) expect((await lab.server(node, 'static', 'static1')).admin & ADMIN.MAINT).toBe(ADMIN.MAINT);
  });

  test('one node alone is in the HTML', async ({ page }) => {
    await page.goto('/stats?node=lb2');
    await expect(status(page, 'lb2/webservers/web1')).toHaveText('UP');
    await expect(row(page, 'lb2/webservers/web1').locator('.c-max span')).toHaveText(/\d/);
  });
});
