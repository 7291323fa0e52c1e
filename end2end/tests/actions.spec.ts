import { ADMIN } from '../lab';
import { apply, bar, box, card, check, confirm, expect, open, outcomes, question, row, status, test } from '../test';

test('three servers are drained and made ready again, and HAProxy shows it', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  const servers = ['web1', 'web2', 'web4'];
  const targets = servers.map((s) => `lb1/webservers/${s}`);
  const section = card(page, 'webservers', 'lb1');
  const isDrained = () => Promise.all(servers.map(async (s) => ((await lab.server('lb1', 'webservers', s)).admin & ADMIN.DRAIN) !== 0));

  await check(page, ...targets);
  await apply(section, 'drain');
  await confirm(page);
  await expect(outcomes(page).getByRole('heading')).toHaveText('Drain 3 servers: 3 done');
  await expect(outcomes(page).getByRole('listitem')).toHaveCount(3);
  for (const target of targets) {
    await expect(status(page, target)).toHaveText('DRAIN');
    await expect(row(page, target).locator('.c-check')).toContainText(/sessions? left/);
    await expect(box(page, target)).not.toBeChecked();
  }
  expect(await isDrained()).toEqual([true, true, true]);
  expect((await lab.server('lb2', 'webservers', 'web1')).admin & ADMIN.DRAIN).toBe(0);

  await check(page, ...targets);
  await apply(section, 'ready');
  await expect(outcomes(page).getByRole('heading')).toHaveText('Set 3 servers to READY: 3 done');
  await expect(question(page)).toBeHidden();
  for (const target of targets) await expect(status(page, target)).toHaveText('UP');
  expect(await isDrained()).toEqual([false, false, false]);
});

test('Enable and Disable set READY and MAINT', async ({ page, lab }) => {
  await open(page);
  const target = 'lb2/static/static1';
  await check(page, target);
  await card(page, 'static', 'lb2').getByRole('button', { name: 'Disable' }).click();
  await confirm(page);
  await expect(status(page, target)).toHaveText('MAINT');
  expect((await lab.server('lb2', 'static', 'static1')).admin & ADMIN.MAINT).toBe(ADMIN.MAINT);
  await check(page, target);
  await card(page, 'static', 'lb2').getByRole('button', { name: 'Enable' }).click();
  await expect(outcomes(page)).toContainText('1 done');
  await expect(status(page, target)).toHaveText(/^UP/);
  expect((await lab.server('lb2', 'static', 'static1')).admin).toBe(0);
});

test('killing sessions ends the streams of a server, after saying how many', async ({ page, lab }) => {
  await open(page);
  const stream = await lab.stream('lb1');
  try {
    const target = `lb1/webservers/${stream.server}`;
    await check(page, target);
    await apply(bar(page), 'shutdown');
    await expect(question(page)).toContainText(/[1-9]\d* sessions? would end at once/);
    expect(stream.ended).toBe(false);
    const before = Number((await lab.stat('lb1', 'webservers', stream.server)).scur);
    await confirm(page);
    await expect(outcomes(page).getByRole('heading')).toHaveText('Kill the sessions of 1 server: 1 done');
    await expect(outcomes(page)).toContainText(/[1-9]\d* sessions? ended/);
    expect(Number((await lab.stat('lb1', 'webservers', stream.server)).scur)).toBeLessThan(before);
    await expect.poll(() => stream.ended).toBe(true);
  } finally {
    stream.close();
  }
});

test('servers of several backends are acted on from the bar, after a question per backend', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  await check(page, 'lb1/webservers/web2', 'lb2/webservers/web2', 'lb1/api/api2');
  await expect(bar(page)).toContainText('3 selected in 3 backends');
  await apply(bar(page), 'maint');
  const impacts = question(page).locator('.impacts');
  await expect(impacts).toContainText('webservers on lb1' + '4 up → 3 up of 5');
  await expect(impacts).toContainText('webservers on lb2' + '4 up → 3 up of 5');
  await expect(impacts).toContainText('api on lb1' + '3 up → 2 up of 3');
  await confirm(page);
  await expect(outcomes(page).getByRole('heading')).toHaveText('Set 3 servers to MAINT: 3 done');
  for (const target of ['lb1/webservers/web2', 'lb2/webservers/web2', 'lb1/api/api2']) {
    await expect(status(page, target)).toHaveText('MAINT');
  }
  await expect(bar(page)).toBeHidden();
  for (const [node, backend, server] of [['lb1', 'webservers', 'web2'], ['lb2', 'webservers', 'web2'], ['lb1', 'api', 'api2']] as const) {
    expect((await lab.server(node, backend, server)).admin & ADMIN.MAINT).toBe(ADMIN.MAINT);
  }
  expect((await lab.server('lb2', 'api', 'api2')).admin).toBe(0);
});

test('a server that follows is named in the question', async ({ page, lab }) => {
  await lab.keepWeb5Up();
  await open(page);
  await check(page, 'lb1/webservers/web1');
  await apply(bar(page), 'maint');
  await expect(question(page)).toContainText('assets-mirror of static on lb1 follows');
  await expect(question(page).locator('.impacts')).toContainText('static on lb1' + '2 up → 1 up of 3');
});

test('a backend that would be left without a server has to be named', async ({ page, lab }) => {
  await open(page);
  await card(page, 'db-ro', 'lb1').getByRole('checkbox', { name: 'Select all servers shown' }).check();
  await apply(bar(page), 'maint');
  const button = question(page).locator('button[type=submit]');
  const field = question(page).getByLabel('Nothing in db-ro');
  await expect(button).toBeDisabled();
  for (const wrong of ['db-r', 'DB-RO', 'db-ro2', '']) {
    await field.fill(wrong);
    await expect(button).toBeDisabled();
    await field.press('Enter');
    await expect(question(page)).toBeVisible();
  }
  expect((await lab.server('lb1', 'db-ro', 'db1')).admin).toBe(0);
  await field.fill('db-ro');
  await expect(button).toBeEnabled();
  await button.click();
  await expect(outcomes(page).getByRole('heading')).toHaveText('Set 2 servers to MAINT: 2 done');
  expect((await lab.server('lb1', 'db-ro', 'db1')).admin & ADMIN.MAINT).toBe(ADMIN.MAINT);
});

test('cancelling does nothing and keeps the selection', async ({ page, lab }) => {
  await open(page);
  await check(page, 'lb1/webservers/web2');
  await apply(bar(page), 'drain');
  await question(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(question(page)).toBeHidden();
  await expect(box(page, 'lb1/webservers/web2')).toBeChecked();
  expect((await lab.server('lb1', 'webservers', 'web2')).admin).toBe(0);
});

test('what HAProxy would refuse is grey, with the reason', async ({ page }) => {
  await open(page);
  const entry = (action: string) => bar(page).locator(`option[value=${action}]`);

  await check(page, 'lb1/webservers/web2');
  for (const action of ['dagent', 'eagent', 'arunn', 'adown']) {
    await expect(entry(action)).toBeDisabled();
    await expect(entry(action)).toContainText('(no agent configured)');
  }
  for (const action of ['ready', 'drain', 'maint', 'dhlth', 'hrunn', 'hnolb', 'hdown', 'shutdown']) await expect(entry(action)).toBeEnabled();

  await check(page, 'lb1/api/api1');
  for (const action of ['dagent', 'arunn']) {
    await expect(entry(action)).toBeEnabled();
    await expect(entry(action)).not.toContainText('(');
  }
  await bar(page).getByRole('button', { name: 'Clear' }).click();

  await check(page, 'lb2/static/assets-mirror');
  for (const action of ['hrunn', 'hnolb', 'hdown', 'ehlth', 'dhlth']) {
    await expect(entry(action)).toBeDisabled();
    await expect(entry(action)).toContainText('(follows webservers/web1)');
  }
  await expect(entry('drain')).toBeEnabled();
});

for (const how of ['killed', 'frozen'] as const) {
  test(`with a node ${how}, its target stays selected and can be tried again`, async ({ page, lab }) => {
    await lab.keepWeb5Up();
    await open(page);
    const [one, two] = ['lb1/webservers/web2', 'lb2/webservers/web2'];
    await check(page, one, two);
    if (how === 'killed') await lab.kill('lb2');
    else lab.freeze('lb2');
    await apply(bar(page), 'drain');
    await confirm(page);
    await expect(outcomes(page).getByRole('heading')).toHaveText('Drain 2 servers: 1 done, 1 unreachable');
    const failed = outcomes(page).getByRole('listitem').filter({ hasText: 'lb2' });
    await expect(failed).toContainText('unreachable');
    await expect(box(page, one)).not.toBeChecked();
    await expect(box(page, two)).toBeChecked();
    expect((await lab.server('lb1', 'webservers', 'web2')).admin & ADMIN.DRAIN).toBe(ADMIN.DRAIN);

    if (how === 'killed') await lab.start('lb2');
    else lab.thaw('lb2');
    await expect(status(page, two)).not.toHaveText(/^was/);
    await outcomes(page).getByRole('button', { name: 'Retry 1 server' }).click();
    // HAProxy may have found the first try in its socket, and then it is drained already.
    const heading = outcomes(page).getByRole('heading');
    await expect(question(page).or(heading.filter({ hasText: /Drain 1 server: 1 (done|unchanged)/ }))).toBeVisible();
    if (await question(page).isVisible()) await confirm(page);
    await expect(heading).toHaveText(/Drain 1 server: 1 (done|unchanged)/);
    expect((await lab.server('lb2', 'webservers', 'web2')).admin & ADMIN.DRAIN).toBe(ADMIN.DRAIN);
    await expect(box(page, two)).not.toBeChecked();
  });
}

test('an answer of Sluice that is a refusal is shown, and the targets stay selected', async ({ page, guard }) => {
  guard.allow(/status of 404/);
  await open(page);
  await check(page, 'lb1/webservers/web2');
  await page.route('**/api/v1/actions', (route) =>
    route.fulfill({ status: 404, contentType: 'application/problem+json', json: { title: 'There is no server x', status: 404, detail: 'Nothing was sent to HAProxy.' } }),
  );
  await apply(bar(page), 'ready');
  await expect(page.getByText(/Nothing was done\W+There is no server x/)).toBeVisible();
  await expect(box(page, 'lb1/webservers/web2')).toBeChecked();
});

test('an answer that tells of a failure does not say that nothing was done', async ({ page, guard }) => {
  guard.allow(/status of 500/);
  await open(page);
  await check(page, 'lb1/webservers/web2');
  await page.route('**/api/v1/actions', (route) =>
    route.fulfill({ status: 500, contentType: 'application/problem+json', json: { title: 'Sluice could not answer', status: 500 } }),
  );
  await apply(bar(page), 'ready');
  await expect(page.locator('.panel')).toContainText('Sluice could not answer');
  await expect(page.locator('.panel')).not.toContainText('Nothing was done');
});

test('Apply stays where it is when the selection and the choice change', async ({ page }) => {
  await open(page);
  const button = card(page, 'static', 'lb1').getByRole('button', { name: 'Apply' });
  // The page may scroll, but nothing goes to the side.
  const left = async () => (await button.boundingBox())?.x;
  const before = await left();
  await check(page, 'lb1/static/assets-mirror');
  await expect(card(page, 'static', 'lb1').locator('option[value=hdown]')).toBeDisabled();
  await card(page, 'static', 'lb1').getByRole('combobox').selectOption('drain');
  expect(await left()).toBe(before);
});
