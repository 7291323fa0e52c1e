import { ADMIN } from '../lab';
import { confirm, details, expect, expectAccessible, open, overflowing, question, row, test } from '../test';

const lines = '.events li';

// Events and losses of earlier tests are none of these tests'.
test.beforeEach(async ({ sluice }) => {
  await sluice.stop();
  await sluice.start();
});

test('what happens is told on the page, newest first, and found by its filter', async ({ page, lab }) => {
  await open(page, '/events');
  // The health of web5 comes and goes meanwhile.
  const ofWeb2 = page.locator(lines).filter({ hasText: 'webservers/web2 on lb1' });
  await lab.ask('lb1', 'set server webservers/web2 state drain');
  await expect(ofWeb2.first()).toContainText('UP → DRAIN');
  await lab.ask('lb1', 'set server webservers/web2 state ready');
  await expect(ofWeb2.first()).toContainText('DRAIN → UP');

  const time = await page.locator(lines).first().locator('time').textContent();
  expect(time).toMatch(/^\d\d:\d\d:\d\d$/);
  await page.getByRole('combobox', { name: 'kind' }).selectOption('link');
  await page.getByRole('button', { name: 'Find' }).click();
  await expect(page).toHaveURL(/kind=link/);
  await expect(page.locator(lines).filter({ hasText: 'web2' })).toHaveCount(0);
  await page.goto('/events?q=webservers%2Fweb2&node=lb1&kind=state');
  await expect(page.locator(lines).first()).toContainText('DRAIN → UP');
  await page.goto('/events?q=no-such-server&node=lb1&kind=state');
  await expect(page.locator(lines)).toHaveCount(0);
  await expect(page.getByText('Nothing that fits the filter')).toBeVisible();
});

test("a row's details have its own events", async ({ page, lab }) => {
  await open(page);
  await row(page, 'lb1/webservers/web2').locator('.name').click();
  await lab.ask('lb1', 'set server webservers/web2 state maint');
  const own = details(page).locator(lines);
  await expect(own.first()).toContainText('MAINT');
  for (const text of await own.allTextContents()) expect(text).toContain('webservers/web2');
});

test('what a reload lost is listed, and set again after the same question', async ({ page, lab }) => {
  await open(page);
  const post = { action: 'maint', targets: [{ node: 'lb2', backend: 'webservers', server: 'web1' }] };
  expect((await page.request.post('/api/v1/actions', { data: post })).ok()).toBe(true);
  await expect(row(page, 'lb2/webservers/web1').locator('.st')).toHaveText('MAINT');
  lab.reload('lb2');
  const notice = page.locator('.notice', { hasText: 'lb2 was reloaded' });
  await expect(notice).toContainText('lost 1 state: webservers/web1 MAINT, set');
  await expect(notice).toContainText('by somebody on this machine');
  expect((await lab.server('lb2', 'webservers', 'web1')).admin).toBe(0);
  await expectAccessible(page, 'a notice of lost states');

  // Hidden here, it is still listed for everybody else.
  await notice.getByRole('button', { name: 'Hide' }).click();
  await expect(notice).toHaveCount(0);
  await page.reload();
  await expect(notice).toHaveCount(0);
  await page.evaluate(() => localStorage.clear());
  await page.reload();

  await expect(row(page, 'lb2/webservers/web1').locator('.st')).toHaveText('UP');
  await notice.getByRole('button', { name: 'Set 1 server to MAINT again' }).click();
  await expect(question(page)).toContainText('webservers on lb2');
  await confirm(page);
  await expect(notice).toHaveCount(0);
  expect((await lab.server('lb2', 'webservers', 'web1')).admin).toBe(ADMIN.MAINT);

  await page.goto('/events?kind=reload');
  await expect(page.locator(lines).first()).toContainText('1 state set by operators was lost');
  await expectAccessible(page, 'the page of events');
});

for (const viewport of [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
]) {
  test.describe(`${viewport.width} px`, () => {
    test.use({ viewport });

    test('the page of events fits', async ({ page, lab }) => {
      await open(page, '/events');
      await lab.ask('lb1', 'set server webservers/web1 state drain; set server api/api2 state maint');
      const post = { action: 'drain', reason: 'a new kernel', targets: [{ node: 'lb2', backend: 'webservers', server: 'web1' }] };
      await page.request.post('/api/v1/actions', { data: post });
      lab.reload('lb2');
      await expect(page.locator(lines).filter({ hasText: 'Reload' }).first()).toBeVisible();
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: `screenshots/events-${colorScheme}-${viewport.width}.png` });
      }
      expect(await overflowing(page)).toEqual([]);
      await open(page);
      await expect(page.locator('.notice-lost')).toBeVisible();
      await page.screenshot({ path: `screenshots/lost-dark-${viewport.width}.png` });
      await page.emulateMedia({ colorScheme: 'light' });
      await row(page, 'lb1/webservers/web1').locator('.name').click();
      await expect(details(page).locator(lines).first()).toBeVisible();
      await page.screenshot({ path: `screenshots/lost-details-${viewport.width}.png` });
      expect(await overflowing(page)).toEqual([]);
    });
  });
}

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('the page has its events and its filter', async ({ page, lab, sluice }) => {
    await lab.ask('lb1', 'set server webservers/web2 state drain');
    await expect(async () => {
      const found = await fetch(`${sluice.url}/api/v1/events?kind=state&server=web2&limit=1`);
      expect(((await found.json()) as { events: { after: string }[] }).events[0]?.after).toBe('DRAIN');
    }).toPass();
    await page.goto('/events');
    await page.getByRole('searchbox').fill('webservers/web2');
    await page.getByRole('button', { name: 'Find' }).click();
    await expect(page.locator(lines).first()).toContainText('webservers/web2 on lb1');
    await expect(page.getByText('Times are in UTC.')).toBeVisible();
  });
});
