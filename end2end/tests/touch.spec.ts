import { ADMIN } from '../lab';
import { bar, details, expect, open, outcomes, overflowing, question, row, smallTargets, status, test } from '../test';

test.describe('tablet', () => {
  test.use({ viewport: { width: 834, height: 1194 }, hasTouch: true, isMobile: true });

  test('by touch alone: details, select, drain, confirm', async ({ page, lab }) => {
    await lab.keepWeb5Up();
    await open(page);
    const target = 'lb1/webservers/web2';
    expect.soft(await smallTargets(page), 'on the page').toEqual([]);
    await row(page, target).locator('.name').tap();
    await expect(details(page).locator('dt').first()).toBeVisible();
    expect.soft(await smallTargets(page), 'in the details').toEqual([]);
    await details(page).getByRole('button', { name: 'Close' }).tap();
    await expect(details(page)).toBeHidden();
    await row(page, target).locator('label.hit').tap();
    await expect(bar(page)).toContainText('1 selected');
    expect.soft(await smallTargets(page), 'with the bar').toEqual([]);
    // The system's own wheel cannot be tapped in a test.
    await bar(page).getByRole('combobox').selectOption('drain');
    await bar(page).getByRole('button', { name: 'Apply' }).tap();
    await expect(question(page)).toBeVisible();
    expect.soft(await smallTargets(page), 'in the question').toEqual([]);
    await question(page).getByRole('button', { name: 'Drain 1 server' }).tap();
    await expect(outcomes(page)).toContainText('1 done');
    expect.soft(await smallTargets(page), 'in the outcomes').toEqual([]);
    await expect(status(page, target)).toHaveText('DRAIN');
    expect((await lab.server('lb1', 'webservers', 'web2')).admin & ADMIN.DRAIN).toBe(ADMIN.DRAIN);
    await outcomes(page).getByRole('button', { name: 'Close' }).tap();
    await expect(outcomes(page)).toBeHidden();
  });

  test('all servers of a section are selected with one tap', async ({ page }) => {
    await open(page);
    await page.locator('section[aria-label="api on lb1"] thead label.hit').tap();
    await expect(bar(page)).toContainText('3 selected');
  });

  test('without script, too, everything can be hit', async ({ browser, sluice, guard }) => {
    const context = await browser.newContext({ baseURL: sluice.url, javaScriptEnabled: false, viewport: { width: 834, height: 1194 }, hasTouch: true, isMobile: true });
    await guard.watch(context);
    const page = await context.newPage();
    await page.goto('/stats');
    expect.soft(await smallTargets(page), 'on the page').toEqual([]);
    await row(page, 'lb1/webservers/web2').locator('label.hit').tap();
    await page.locator('section[aria-label="webservers on lb1"]').getByRole('button', { name: 'Disable' }).tap();
    await expect(page.getByRole('heading', { name: 'Set 1 server to MAINT?' })).toBeVisible();
    expect.soft(await smallTargets(page), 'in the question').toEqual([]);
    await context.close();
  });

  test('the wall fits', async ({ page }) => {
    await open(page, '/wall');
    expect(await overflowing(page)).toEqual([]);
  });
});

test.describe('phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('nothing reaches over the edge, and everything can be hit', async ({ page, lab }) => {
    await lab.keepWeb5Up();
    await open(page);
    expect.soft(await overflowing(page)).toEqual([]);
    expect.soft(await smallTargets(page)).toEqual([]);
    await row(page, 'lb1/webservers/web2').locator('label.hit').tap();
    await expect(bar(page)).toContainText('1 selected');
    expect.soft(await overflowing(page), 'with the bar').toEqual([]);
    expect.soft(await smallTargets(page), 'with the bar').toEqual([]);
    await bar(page).getByRole('combobox').selectOption('drain');
    await bar(page).getByRole('button', { name: 'Apply' }).tap();
    expect.soft(await overflowing(page), 'with the question').toEqual([]);
    await question(page).getByRole('button', { name: 'Drain 1 server' }).tap();
    await expect(outcomes(page)).toContainText('1 done');
    expect.soft(await overflowing(page), 'with the outcomes').toEqual([]);
    await outcomes(page).getByRole('button', { name: 'Close' }).tap();
    await row(page, 'lb1/webservers/web3').locator('.name').tap();
    await expect(details(page).locator('dt').first()).toBeVisible();
    expect.soft(await overflowing(page), 'with the details').toEqual([]);
    await page.goto('/wall');
    expect.soft(await overflowing(page), 'wall').toEqual([]);
  });
});
