import { apply, bar, box, card, check, confirm, details, expect, expectAccessible, open, outcomes, question, row, test } from '../test';

// The slowest file by far: its tests are shared among the workers.
test.describe.configure({ mode: 'parallel' });

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test('the stats page is accessible in all its states', async ({ page, lab }) => {
      // Nine looks, each of some seconds on two busy cores.
      test.slow();
      await lab.keepWeb5Up();
      await lab.ask('lb1', 'set server api/api2 state drain; set server static/static1 state maint');
      await open(page);
      await expectAccessible(page, 'stats');
      await check(page, 'lb1/webservers/web2', 'lb1/api/api1');
      await expect(bar(page)).toBeVisible();
      await expectAccessible(page, 'with a selection');
      await apply(bar(page), 'maint');
      await expect(question(page)).toBeVisible();
      await expectAccessible(page, 'with the question');
      await confirm(page);
      await expect(outcomes(page)).toBeVisible();
      await expectAccessible(page, 'with the outcomes');
      await outcomes(page).getByRole('button', { name: 'Close' }).click();
      await row(page, 'lb1/webservers/web3').locator('.name').click();
      await expect(details(page).locator('dt').first()).toBeVisible();
      await expectAccessible(page, 'with the details');
      await page.keyboard.press('Escape');
      await check(page, 'lb1/db-ro/db1', 'lb1/db-ro/db2');
      await apply(card(page, 'db-ro', 'lb1'), 'drain');
      await expectAccessible(page, 'with a name to type');
      await page.keyboard.press('Escape');
      await page.locator('details.menu summary').click();
      await expectAccessible(page, 'with the menu of columns');
      await lab.kill('lb2');
      await expect(page.locator('.notice:not(.notice-lost)')).toBeVisible();
      await expectAccessible(page, 'with a node away');
      await page.goto('/stats?q=nothing-of-the-kind');
      await expectAccessible(page, 'with nothing to show');
    });

    test('the stats page is accessible on tablet and phone', async ({ page }) => {
      for (const viewport of [{ width: 834, height: 1194 }, { width: 390, height: 844 }]) {
        await page.setViewportSize(viewport);
        await open(page);
        await check(page, 'lb1/webservers/web2');
        await expectAccessible(page, `${viewport.width} px`);
      }
    });

    test('the wall is accessible', async ({ page, lab }) => {
      await lab.ask('lb1', 'set server api/api2 state drain');
      await open(page, '/wall');
      await expect(page.locator('.tile').nth(1)).toBeVisible();
      await expectAccessible(page, 'wall');
      await lab.kill('lb1');
      await expect(page.locator('.tile', { hasText: 'lb1 does not answer' })).toBeVisible();
      await expectAccessible(page, 'wall with a node away');
      await lab.kill('lb2');
      await expect(page.locator('.wall-cover')).toBeVisible();
      await expectAccessible(page, 'covered wall');
    });

    test('the answers to the form are accessible', async ({ page, guard }) => {
      guard.allow(/status of 400/);
      // Axe is a script itself: the program is taken away in place of all scripts.
      await page.route('**/pkg/*/sluice.js', (route) => route.fulfill({ contentType: 'text/javascript', body: 'export default async () => {}; export const hydrate = () => {};' }));
      await page.goto('/stats');
      await expectAccessible(page, 'stats without the program');
      const section = card(page, 'db-ro', 'lb2');
      await box(page, 'lb2/db-ro/db1').check();
      await box(page, 'lb2/db-ro/db2').check();
      await section.getByRole('button', { name: 'Disable' }).click();
      await expectAccessible(page, 'question');
      await page.getByLabel('Nothing in db-ro').fill('db-ro');
      await page.locator('button[type=submit]').click();
      await expect(page.getByRole('heading', { name: '2 done' })).toBeVisible();
      await expectAccessible(page, 'outcomes');
      await page.getByRole('link', { name: 'Back to the servers' }).click();
      await card(page, 'api', 'lb2').getByRole('button', { name: 'Disable' }).click();
      await expect(page.getByText('No server was checked')).toBeVisible();
      await expectAccessible(page, 'refusal');
    });

    test('the page for what is not there is accessible', async ({ page, guard }) => {
      guard.allow(/status of 404/);
      await page.goto('/nowhere');
      await expect(page.getByRole('heading')).toBeVisible();
      await expectAccessible(page, 'missing');
    });
  });
}
