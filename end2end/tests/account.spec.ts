import { ACCOUNTS } from '../sluice';
import { expect, expectAccessible, logIn, openStream, overflowing, smallTargets, test } from '../test';

test.use({ hasAccounts: true });

/** Logs in, and goes to a page. */
async function enter(page: import('@playwright/test').Page, who: keyof typeof ACCOUNTS, address: string): Promise<void> {
  await page.goto(`/login?next=${address}`);
  await logIn(page, ACCOUNTS[who]);
  await page.waitForURL((url) => url.pathname === address);
}

test('the account page says who one is, and leads there from every page', async ({ page }) => {
  await enter(page, 'operator', '/stats');
  await page.getByTitle('Your account').click();
  await expect(page).toHaveURL(/\/account$/);
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Account');
  await expect(page.getByText('You may look at everything, and act on every server.')).toBeVisible();
  await expect(page.getByText('this one')).toBeVisible();
  await expect(page.getByRole('link', { name: 'Admin' })).toHaveCount(0);
  await expectAccessible(page, 'account');
});

test('a token is shown once, works, and ends', async ({ page, playwright, sluice }) => {
  await enter(page, 'operator', '/account');
  await page.getByLabel('For').fill('a test');
  await page.getByLabel('Your password').fill(ACCOUNTS.operator.password);
  await page.getByRole('button', { name: 'Make a token' }).click();
  const token = await page.locator('#secret').innerText();
  expect(token).toMatch(/^slt_[\w-]{43}$/);
  await expectAccessible(page, 'a token that was made');
  const program = await playwright.request.newContext({ extraHTTPHeaders: { authorization: `Bearer ${token}` } });
  expect((await program.get(`${sluice.url}/api/v1/nodes`)).status()).toBe(200);
  expect((await program.post(`${sluice.url}/api/v1/tokens`, { data: { scope: 'read', expires: '1d', password: 'x' } })).status()).toBe(403);
  await page.goto('/account');
  await expect(page.locator('body')).not.toContainText(token);
  await page.getByRole('button', { name: 'End the token a test' }).click();
  await expect(page.getByRole('status')).toHaveText('The token has ended.');
  expect((await program.get(`${sluice.url}/api/v1/nodes`)).status()).toBe(401);
  await program.dispose();
});

test('a token that is made is an event for its account and for admins, and for nobody else', async ({ page, browser, guard, sluice }) => {
  const pages = [page];
  for (let i = 0; i < 2; i++) {
    const context = await browser.newContext({ baseURL: sluice.url });
    await guard.watch(context);
    pages.push(await context.newPage());
  }
  const [own, admin, other] = pages;
  await enter(own, 'operator', '/account');
  await enter(admin, 'admin', '/account');
  await enter(other, 'viewer', '/account');
  for (const follower of pages) await openStream(follower, '/events?kind=account');
  const data = { scope: 'read', expires: '1d', note: 'seen at once', password: ACCOUNTS.operator.password };
  expect((await own.request.post(`${sluice.url}/api/v1/tokens`, { data, headers: { origin: sluice.url } })).status()).toBe(200);
  for (const follower of [own, admin]) {
    await expect(follower.locator('.events li')).toContainText(['API token of operator made']);
    await expectAccessible(follower, 'events of accounts');
  }
  await own.screenshot({ path: 'screenshots/events-account.png' });
  await expect(other.getByText('Nothing that fits the filter')).toBeVisible();
  await expect(other.locator('.events li')).toHaveCount(0);
  // The server draws the same.
  await own.reload();
  await expect(own.locator('.events li').first()).toContainText('API token of operator made');
  for (const follower of [admin, other]) await follower.context().close();
});

test('a wall link opens the wall in a browser that nobody logged in at, and nothing else', async ({ page, browser, guard, sluice }) => {
  guard.allow(/status of 403|status of 404/);
  await enter(page, 'admin', '/admin');
  await expectAccessible(page, 'admin');
  await page.getByLabel('Display').fill('control room');
  await page.getByLabel('all clusters, later ones too').check();
  const link = page.locator('form', { hasText: 'Make a link' });
  await link.getByLabel('Your password').fill(ACCOUNTS.admin.password);
  await link.getByRole('button').click();
  const address = await page.locator('#secret').innerText();
  expect(address.startsWith(`${sluice.url}/w/slw_`)).toBe(true);
  const display = await browser.newContext({ baseURL: sluice.url });
  try {
    const wall = await display.newPage();
    await wall.goto(address);
    await expect(wall).toHaveURL(/\/wall$/);
    expect((await display.request.get('/stats')).status()).toBe(403);
    expect((await display.request.get('/api/v1/stats')).status()).toBe(403);
    await page.goto('/admin');
    await page.getByRole('button', { name: 'End the link of control room' }).click();
    await expect(page.getByRole('status')).toHaveText('The wall link has ended.');
    expect((await display.request.get('/wall', { maxRedirects: 0 })).status()).toBe(303);
    expect((await display.request.get(address)).status()).toBe(404);
  } finally {
    await display.close();
  }
});

test('an admin makes an account, puts it into groups and removes it', async ({ page, guard }) => {
  guard.allow(/status of 409|status of 400/);
  await enter(page, 'admin', '/admin');
  await page.getByLabel('Name', { exact: true }).fill('temporary');
  await page.getByLabel('First password').fill('a temporary password');
  const added = page.locator('form', { hasText: 'Add account' });
  await added.getByLabel('Your password').fill(ACCOUNTS.admin.password);
  await added.getByRole('button').click();
  await expect(page.getByRole('status')).toHaveText('The account was made.');
  await page.getByLabel('Groups of temporary').click();
  await page.locator('.menu[open]').getByLabel('Groups, separated by commas').fill('on-call, dba');
  await page.locator('.menu[open]').getByLabel('Your password').fill(ACCOUNTS.admin.password);
  await page.getByRole('button', { name: 'Put temporary into these' }).click();
  await expect(page.getByRole('status')).toHaveText('The account is in these groups now.');
  await expect(page.getByRole('listitem').filter({ hasText: 'temporary' }).first()).toContainText('on-call, dba · no session');
  await page.getByLabel('Remove temporary').click();
  await page.getByRole('button', { name: 'Remove temporary' }).click();
  await expect(page.getByRole('status')).toContainText('The account has ended');
  await page.getByLabel('Role of admin', { exact: true }).click();
  await page.locator('.menu[open]').locator('select').selectOption('viewer');
  await page.getByRole('button', { name: 'Change the role of admin' }).click();
  await expect(page.getByRole('alert')).toContainText('admin is the last admin');
});

for (const [name, width] of [['desk', 1280], ['tablet', 834], ['phone', 390]] as const) {
  test(`the pages of accounts fit on a ${name}`, async ({ page }) => {
    await page.setViewportSize({ width, height: 900 });
    await enter(page, 'admin', '/account');
    for (const address of ['/account', '/admin']) {
      await page.goto(address);
      await page.screenshot({ path: `screenshots${address}-${width}.png`, fullPage: true });
      expect(await overflowing(page), address).toEqual([]);
      await expect(page.getByText('Was it not you?')).toBeVisible();
      if (width < 1280) expect(await smallTargets(page), address).toEqual([]);
    }
    await page.goto('/account');
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await page.waitForURL('/login');
  });
}
