// Who may do what, as the page shows it; and the reason, and what happens when whoever looks is not logged in any more.

import { appendFileSync, copyFileSync } from 'node:fs';
import path from 'node:path';

import type { Page } from '@playwright/test';

import { ACCOUNTS, Sluice } from '../sluice';
import {
  test as base,
  apply,
  bar,
  card,
  check,
  expect,
  expectAccessible,
  open,
  outcomes,
  overflowing,
  question,
  smallTargets,
} from '../test';

const SIZES = [
  { width: 1280, height: 800 },
  { width: 834, height: 1194 },
  { width: 390, height: 844 },
];

const test = base;

/** What the page said when it asked for something to be done. */
const asked = (page: Page) => page.waitForRequest('**/api/v1/actions').then((r) => r.postDataJSON() as { action: string; reason?: string });

test('without accounts the page says that whoever reaches it may act', async ({ page }) => {
  for (const address of ['/stats', '/events']) {
    await page.goto(address);
    await expect(page.getByText("No accounts: whoever reaches this machine's port may act.")).toBeVisible();
    await expect(page.getByText('sluice user add')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Log out' })).toHaveCount(0);
  }
  await page.goto('/wall');
  await expect(page.getByText('No accounts')).toHaveCount(0);
});

test('a reason given at the bar goes with the action, and into the events', async ({ page }) => {
  await open(page);
  await check(page, 'lb1/webservers/web1');
  await bar(page).getByLabel('Reason').fill('  rack 7 <b>"&  ');
  const request = asked(page);
  await bar(page).getByRole('button', { name: 'Enable' }).click();
  expect(await request).toMatchObject({ action: 'ready', reason: 'rack 7 <b>"&' });
  await expect(outcomes(page)).toBeVisible();
  // What was done is done: the next action has a reason of its own.
  await check(page, 'lb1/webservers/web2');
  await expect(bar(page).getByLabel('Reason')).toHaveValue('');
  await page.goto('/events?kind=operation');
  await expect(page.getByText('rack 7 <b>"&').first()).toBeVisible();
});

test('a reason may be left out, and be given in the question', async ({ page }) => {
  await open(page);
  await check(page, 'lb1/webservers/web1');
  const without = asked(page);
  await bar(page).getByRole('button', { name: 'Enable' }).click();
  expect((await without).reason).toBeUndefined();
  await check(page, 'lb1/webservers/web1');
  await bar(page).getByLabel('Reason').fill('first');
  await apply(bar(page), 'drain');
  await expect(question(page).getByLabel('Reason')).toHaveValue('first');
  await question(page).getByLabel('Reason').fill('x'.repeat(600));
  await expect(question(page).getByLabel('Reason')).toHaveValue('x'.repeat(500));
  await question(page).getByLabel('Reason').fill('second');
  const request = asked(page);
  await question(page).locator('button[type=submit]').click();
  expect((await request).reason).toBe('second');
});

test.describe('without the program', () => {
  test.use({ javaScriptEnabled: false });

  test('a reason is part of the form and of its question', async ({ page }) => {
    await page.goto('/stats?node=lb1');
    await page.locator('tr[data-row="lb1/webservers/web2"]').getByRole('checkbox').check();
    const section = card(page, 'webservers', 'lb1');
    await section.getByLabel('Reason').fill('rack 7 "&<');
    await apply(section, 'drain');
    await expect(page.getByLabel('Reason')).toHaveValue('rack 7 "&<');
    await page.getByRole('button', { name: 'Drain 1 server' }).click();
    await expect(page.getByRole('heading', { name: 'Drain 1 server: 1 done' })).toBeVisible();
    await page.goto('/events?kind=operation');
    await expect(page.getByText('rack 7 "&<').first()).toBeVisible();
  });
});

/** The page as it is when an action needs a reason: the last byte of who looks, in the state that it carries. */
async function needReason(page: Page): Promise<void> {
  // A page that a test makes counts as one from elsewhere.
  await page.context().grantPermissions(['local-network-access']);
  await page.route('**/stats*', async (route) => {
    if (route.request().resourceType() !== 'document') return route.continue();
    const response = await route.fetch();
    const html = await response.text();
    const changed = html.replace(/(id="sluice-snapshot"[^>]*>)([^<]+)/, (_, tag: string, text: string) => {
      const bytes = Buffer.from(text.trim(), 'base64');
      // No name, an admin, no rules, without accounts, no reason needed.
      expect([...bytes.subarray(0, 5)]).toEqual([0, 2, 0, 1, 0]);
      bytes[4] = 1;
      return tag + bytes.toString('base64');
    });
    await route.fulfill({ response, body: changed });
  });
}

test('where a reason is needed every action asks, and waits for one', async ({ page }) => {
  await needReason(page);
  await open(page);
  await check(page, 'lb1/webservers/web1');
  await bar(page).getByRole('button', { name: 'Enable' }).click();
  await expect(question(page).getByPlaceholder('Reason (needed)')).toBeVisible();
  const go = question(page).locator('button[type=submit]');
  await expect(go).toBeDisabled();
  await question(page).getByLabel('Reason').fill('   ');
  await expect(go).toBeDisabled();
  await question(page).getByLabel('Reason').fill('after the patch');
  const request = asked(page);
  await go.click();
  expect((await request).reason).toBe('after the patch');
});

test('a refusal is shown in the words of the server', async ({ page, guard }) => {
  guard.allow(/status of (401|403|429|503)/);
  await open(page);
  for (const status of [401, 403, 429, 503]) {
    await page.route('**/api/v1/actions', (route) =>
      route.fulfill({ status, contentType: 'application/problem+json', body: JSON.stringify({ title: `Not now (${status})`, status, detail: 'Ask again' }) }),
    );
    await check(page, 'lb1/webservers/web1');
    await bar(page).getByRole('button', { name: 'Enable' }).click();
    await expect(page.getByText(`Nothing was done. Not now (${status}). Ask again`)).toBeVisible();
    await page.unroute('**/api/v1/actions');
  }
});

test.describe('signed out', () => {
  /** Ends the page's streams as Sluice does when the session has ended. */
  async function endStreams(page: Page): Promise<() => void> {
    const ends: (() => void)[] = [];
    await page.routeWebSocket('**/ws', (ws) => {
      ws.connectToServer();
      ends.push(() => void ws.close({ code: 4401, reason: 'signed out' }));
    });
    return () => ends.splice(0).forEach((end) => end());
  }

  test('the page goes to log in, and would come back', async ({ page, guard }) => {
    const end = await endStreams(page);
    await page.goto('/stats?q=web&node=lb1');
    await expect(page.getByTestId('link')).toContainText('live');
    // Without accounts the log-in page leads straight back.
    const led = page.waitForRequest(/\/login\?next=%2Fstats%3Fq%3Dweb%26node%3Dlb1$/);
    end();
    await led;
  });

  test('a wall says at once that its link has ended, and asks no more', async ({ page }) => {
    const end = await endStreams(page);
    let opened = 0;
    page.on('websocket', () => opened++);
    await page.goto('/wall');
    await expect(page.getByTestId('link')).toContainText('live');
    end();
    await expect(page.getByRole('alert')).toContainText("This display's link has ended");
    await expect(page.getByTestId('link')).toHaveText('signed out');
    const before = opened;
    await page.waitForTimeout(2_000);
    expect(opened).toBe(before);
    await page.screenshot({ path: 'screenshots/reach-wall-ended.png' });
  });

  test('a stream that can not be opened for want of a session leads to log in', async ({ page, guard }) => {
    guard.allow(/status of 401/);
    await page.routeWebSocket('**/ws', (ws) => void ws.close({ code: 1006 }));
    await page.route('**/api/v1/me', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: '{}' }));
    const led = page.waitForRequest(/\/login\?next=%2Fevents$/);
    await page.goto('/events');
    await led;
  });
});

for (const viewport of SIZES) {
  test.describe(`${viewport.width} px`, () => {
    const isTouch = viewport.width < 1000;
    test.use({ viewport, hasTouch: isTouch, isMobile: isTouch });

    for (const colorScheme of ['light', 'dark'] as const) {
      test(`${colorScheme}: note and reason have room`, async ({ page }) => {
        await page.emulateMedia({ colorScheme });
        await open(page);
        await check(page, 'lb1/webservers/web1', 'lb1/webservers/web2');
        await shoot(page, `reach-open-${colorScheme}`);
        await apply(bar(page), 'drain');
        await expect(question(page)).toBeVisible();
        await shoot(page, `reach-question-${colorScheme}`);
        await expectAccessible(page, `question with a reason, ${colorScheme}`);
        if (isTouch) expect.soft(await smallTargets(page)).toEqual([]);
        await question(page).getByRole('button', { name: 'Cancel' }).click();
        if (isTouch) expect.soft(await smallTargets(page)).toEqual([]);
      });
    }
  });
}

async function shoot(page: Page, name: string): Promise<void> {
  const { width } = page.viewportSize()!;
  await page.screenshot({ path: `screenshots/${name}-${width}.png` });
  expect.soft(await overflowing(page), `${name} at ${width}`).toEqual([]);
}

/** Everybody sees `webservers` and `www`; operators may drain there, and set ready; `db-ro` is seen, and not touched. */
const RULES = `
[[rule]]
users = ["*"]
backends = ["webservers", "www"]
actions = ["drain", "ready"]
[[rule]]
users = ["*"]
backends = ["db-ro"]
`;

/** A Sluice with accounts and rules; `signedIn` opens a page as an account of that role. */
const bound = base.extend<{ signedIn: (role: 'viewer' | 'operator', address?: string) => Promise<void> }>({
  sluice: [
    async ({ lab }, use) => {
      const config = path.join(lab.dir, 'bound.toml');
      copyFileSync(lab.config(false), config);
      appendFileSync(config, RULES);
      const sluice = await Sluice.startWith(lab, config, true);
      await use(sluice);
      await sluice.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  // Without a session nothing tells what the lab is like: the lab's own rest is enough.
  tidy: [
    async ({ lab }, use) => {
      await use();
      await lab.reset();
    },
    { auto: true, timeout: 60_000 },
  ],
  signedIn: async ({ page }, use) => {
    await use(async (role, address = '/stats') => {
      const { name: user, password } = ACCOUNTS[role];
      const answer = await page.request.post('/api/v1/login', { data: { user, password } });
      const status = answer.status();
      expect(status).toBeLessThan(300);
      await open(page, address);
    });
  },
});

bound.describe('accounts and rules', () => {
  bound('an operator sees what the rules let them see, and nothing else', async ({ page, signedIn }) => {
    await signedIn('operator');
    await expect(card(page, 'webservers', 'lb1')).toBeVisible();
    const frames: string[] = [];
    page.on('websocket', (ws) => ws.on('framereceived', ({ payload }) => frames.push(payload.toString('latin1'))));
    const response = await page.reload();
    await expect(page.getByTestId('link')).toContainText('live');
    await page.waitForTimeout(3_000);
    const html = (await response!.text()) + frames.join('');
    const carried = /id="sluice-snapshot"[^>]*>([^<]+)/.exec(html)![1];
    const all = html + Buffer.from(carried.trim(), 'base64').toString('latin1');
    expect(all).toContain('webservers');
    for (const hidden of ['static1', 'static2', 'api1']) expect(all).not.toContain(hidden);
  });

  bound('what no rule allows is grey, and says why', async ({ page, signedIn }) => {
    await signedIn('operator');
    const section = card(page, 'db-ro', 'lb1');
    await expect(section.getByRole('button', { name: 'Enable' })).toBeDisabled();
    await expect(section.getByRole('button', { name: 'Enable' })).toHaveAttribute('title', /no rule lets you ready on db-ro of lb1/);
    await check(page, 'lb1/webservers/web1', 'lb1/db-ro/db1');
    await expect(bar(page).getByRole('button', { name: 'Disable' })).toBeDisabled();
    await apply(bar(page), 'drain');
    await expect(question(page)).toContainText('No rule lets you drain on db-ro of lb1: 1 server.');
    await expect(question(page).locator('button[type=submit]')).toBeDisabled();
  });

  bound('a viewer acts on nothing', async ({ page, signedIn, guard }) => {
    guard.allow(/status of 403/);
    await signedIn('viewer');
    for (const name of ['Enable', 'Disable']) {
      await expect(card(page, 'webservers', 'lb1').getByRole('button', { name })).toBeDisabled();
    }
    await expect(card(page, 'webservers', 'lb1')).toContainText('A viewer may look, not act');
    const status = await page.evaluate(
      async () =>
        (
          await fetch('/api/v1/actions', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: '{"action":"ready","targets":[{"node":"lb1","backend":"webservers","server":"web1"}]}',
          })
        ).status,
    );
    expect(status).toBe(403);
  });

  bound('the header names the account and lets it go, at every size', async ({ page, signedIn, guard }) => {
    guard.allow(/status of 401/);
    await signedIn('operator');
    await expect(page.getByRole('link', { name: /operator/ })).toHaveAttribute('href', '/account');
    for (const viewport of SIZES) {
      await page.setViewportSize(viewport);
      await shoot(page, 'reach-account');
    }
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.waitForURL(/\/login\?next=/);
  });
});
