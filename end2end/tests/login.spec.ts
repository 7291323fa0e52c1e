import { ACCOUNTS } from '../sluice';
import { expect, expectAccessible, link, logIn, open, overflowing, smallTargets, stranger, test } from '../test';

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
  const cookies = (await context.cookies()).filter((cookie) => cookie.name.startsWith('sluice'));
  expect(cookies.map((cookie) => cookie.name).sort()).toEqual(['sluice', 'sluice-device']);
  for (const { httpOnly, secure, sameSite, path } of cookies) {
    expect({ httpOnly, secure, sameSite, path }).toEqual({ httpOnly: true, secure: false, sameSite: 'Lax', path: '/' });
  }
  expect(await page.evaluate(() => document.cookie)).not.toContain('sluice=');
});

test('a log-in elsewhere gives another session, and the one before it opens nothing', async ({ page, context }) => {
  const session = async () => (await context.cookies()).find((cookie) => cookie.name === 'sluice');
  await page.goto('/login');
  await logIn(page, viewer);
  await expect(page).toHaveURL(/\/stats$/);
  const planted = (await session())!;
  const response = await page.request.post('/api/v1/login', { data: { user: viewer.name, password: viewer.password } });
  expect(response.status()).toBe(200);
  expect((await session())!.value).not.toBe(planted.value);
  await context.addCookies([planted]);
  expect((await page.request.get('/api/v1/me')).status()).toBe(401);
});

test('an open page leads to the log-in as soon as its session ends', async ({ page, context, sluice, guard }) => {
  guard.allow(/status of 401/);
  await page.goto('/login');
  await logIn(page, viewer);
  await open(page, '/stats?q=web');
  await page.request.post(`${sluice.url}/api/v1/logout`, { headers: { origin: sluice.url } });
  await page.waitForURL(/\/login\?next=/);
  expect(new URL(page.url()).searchParams.get('next')).toBe('/stats?q=web');
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
    const response = await page.request.post('/api/v1/login', { data, headers: { origin: sluice.url } });
    wait = Number(response.headers()['retry-after'] ?? 0);
  }
  await page.goto('/login');
  await logIn(page, { name: 'somebody', password: 'one more guess' });
  await expect(page.getByRole('alert')).toHaveText(/^Too many attempts failed\. Wait \d+ s, then try again\.$/);
});

test('a page of another port acts for nobody, though the browser sends the session along', async ({ page, lab, sluice, guard }) => {
  await page.goto('/login');
  await logIn(page, ACCOUNTS.admin);
  await expect(page).toHaveURL(/\/stats$/);
  const evil = await stranger(`<form method="post" action="${sluice.url}/admin/users/remove"><input name="user" value="viewer"><button>Win</button></form>`);
  guard.allowOrigin(`http://127.0.0.1:${evil.port}`);
  guard.allow(/favicon|CORS|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|WebSocket|status of 40[35]/);
  try {
    await page.goto(`http://127.0.0.1:${evil.port}/`);
    const body = JSON.stringify({ action: 'maint', targets: [{ node: 'lb1', backend: 'webservers', server: 'web2' }] });
    const post = await page.evaluate(
      ([url, body]) =>
        fetch(`${url}/api/v1/actions`, { method: 'POST', mode: 'no-cors', credentials: 'include', body }).then((r) => r.type, () => 'refused'),
      [sluice.url, body],
    );
    expect(['refused', 'opaque']).toContain(post);
    expect((await lab.server('lb1', 'webservers', 'web2')).admin).toBe(0);
    const stream = await page.evaluate(
      (url) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
          socket.onopen = () => resolve('open');
          socket.onclose = (e) => resolve(`closed ${e.code}`);
        }),
      sluice.url,
    );
    expect(stream).toBe('closed 1006');
    const answer = page.waitForResponse(`${sluice.url}/admin/users/remove`);
    await page.getByRole('button').click();
    expect((await answer).status()).toBe(403);
    await page.goto(`${sluice.url}/admin`);
    await expect(page.getByLabel('Role of viewer', { exact: true })).toBeVisible();
  } finally {
    evil.close();
  }
});
