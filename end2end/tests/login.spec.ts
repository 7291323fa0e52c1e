import { ACCOUNTS } from '../lab';
import { expect, expectAccessible, link, logIn, open, overflowing, smallTargets, test } from '../test';

test.use({ hasAccounts: true });

const viewer = ACCOUNTS.viewer;

test('a page leads to the log-in and back to itself', async ({ page }) => {
  await page.goto('/stats?q=web2&node=lb1');
  await expect(page).toHaveURL(/\/login\?next=/);
  await expect(page.getByLabel('Name')).toBeFocused();
  await expectAccessible(page, 'log-in');
  await logIn(page, viewer);
  await expect(page).toHaveURL(/\/stats\?q=web2&node=lb1$/);
  await expect(link(page)).toContainText('live');
  await page.goto('/login?next=/wall');
  await expect(page).toHaveURL(/\/wall$/);
});

test('a wrong password says so, keeps the name, and leads on to the page all the same', async ({ page, guard }) => {
  guard.allow(/status of 401/);
  await page.goto('/login?next=/events');
  await logIn(page, { ...viewer, password: 'not the password' });
  await expect(page.getByRole('alert')).toHaveText('Name or password is wrong.');
  await expect(page.getByLabel('Name')).toHaveValue(viewer.name);
  await expect(page.getByLabel('Password')).toHaveValue('');
  await expect(page.getByLabel('Password')).toBeFocused();
  await expectAccessible(page, 'log-in with a wrong password');
  await page.getByLabel('Password').fill(viewer.password);
  await page.getByLabel('Password').press('Enter');
  await expect(page).toHaveURL(/\/events$/);
});

test('the cookies are out of reach of scripts and other sites', async ({ page, context }) => {
  await page.goto('/login');
  await logIn(page, viewer);
  await expect(page).toHaveURL(/\/stats$/);
  const cookies = (await context.cookies()).filter((cookie) => cookie.name.startsWith('__Host-sluice'));
  expect(cookies.map((cookie) => cookie.name).sort()).toEqual(['__Host-sluice', '__Host-sluice-device']);
  for (const { httpOnly, secure, sameSite, path } of cookies) {
    expect({ httpOnly, secure, sameSite, path }).toEqual({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' });
  }
  expect(await page.evaluate(() => document.cookie)).not.toContain('__Host-sluice');
});

test('a log-in elsewhere gives another token, and what was there before opens nothing', async ({ page, context }) => {
  const token = async () => (await context.cookies()).find((cookie) => cookie.name === '__Host-sluice');
  await page.goto('/login');
  await logIn(page, viewer);
  await expect(page).toHaveURL(/\/stats$/);
  const planted = (await token())!;
  const answer = await page.request.post('/api/v1/login', { data: { user: viewer.name, password: viewer.password } });
  expect(answer.status()).toBe(200);
  expect((await token())!.value).not.toBe(planted.value);
  await context.addCookies([planted]);
  expect((await page.request.get('/api/v1/me')).status()).toBe(401);
});

test('a stream ends within a second when its session does', async ({ page, context, sluice }) => {
  await page.goto('/login');
  await logIn(page, viewer);
  await open(page);
  const closed = page.evaluate(
    () =>
      new Promise<{ code: number; after: number }>((resolve) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws?format=json`);
        let left = 0;
        (window as any).leave = () => (left = performance.now());
        socket.onmessage = () => ((window as any).followed = true);
        socket.onclose = ({ code }) => resolve({ code, after: performance.now() - left });
      }),
  );
  await page.waitForFunction(() => (window as any).followed);
  await page.evaluate(() => (window as any).leave());
  await page.request.post(`${sluice.url}/api/v1/logout`, { headers: { origin: sluice.url } });
  const { code, after } = await closed;
  expect(code).toBe(4401);
  expect(after).toBeLessThan(1_000);
  expect((await context.request.get('/api/v1/me')).status()).toBe(401);
});

test('a log-in without the program, on a telephone', async ({ browser, sluice, guard }) => {
  const context = await browser.newContext({
    baseURL: sluice.url,
    javaScriptEnabled: false,
    hasTouch: true,
    viewport: { width: 390, height: 780 },
  });
  try {
    await guard.watch(context);
    const page = await context.newPage();
    await page.goto('/stats');
    await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();
    await logIn(page, viewer);
    await expect(page).toHaveURL(/\/stats$/);
    await expect(page.locator('tr[data-row="lb1/webservers/web1"]')).toBeAttached();
  } finally {
    await context.close();
  }
});

test('the log-in page fits a telephone and a finger', async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 780 });
  await page.goto('/login');
  expect(await overflowing(page)).toEqual([]);
  // The form's own controls; the mark above them is no way to log in.
  const small = await smallTargets(page);
  expect(small.filter((target) => !target.includes('Sluice'))).toEqual([]);
});

test('what fails too often waits, and says for how long', async ({ page, guard, sluice }) => {
  guard.allow(/status of (401|429)/);
  // Long enough for the page to be opened meanwhile.
  for (let n = 0, wait = 0; wait < 4; n++) {
    await new Promise((resolve) => setTimeout(resolve, wait * 1_000));
    const data = { user: 'somebody', password: `guess ${n}` };
    const answer = await page.request.post('/api/v1/login', { data, headers: { origin: sluice.url } });
    wait = Number(answer.headers()['retry-after'] ?? 0);
  }
  await page.goto('/login');
  await logIn(page, { name: 'somebody', password: 'one more guess' });
  await expect(page.getByRole('alert')).toHaveText(/^Too many attempts failed\. Wait \d+ s, then try again\.$/);
});
