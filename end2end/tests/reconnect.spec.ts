import { GONE, box, check, expect, isMarked, link, mark, open, openStream, row, status, test } from '../test';

test('without Sluice the page says so, and is live again by itself', async ({ page, sluice, guard }) => {
  guard.allow(GONE);
  await open(page);
  await mark(page);
  await check(page, 'lb1/webservers/web1');
  await sluice.stop();
  await expect(link(page)).toContainText('reconnecting');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('was UP');
  await sluice.start();
  await expect(link(page)).toContainText('live');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await expect(box(page, 'lb1/webservers/web1')).toBeChecked();
  // Frames flow again.
  const rate = row(page, 'lb1/webservers/BACKEND').locator('.c-rate');
  await expect(rate).not.toHaveText((await rate.textContent()) ?? '');
  expect(await isMarked(page)).toBe(true);
});

test('an action while Sluice is away says that nothing is known of it', async ({ page, sluice, guard }) => {
  guard.allow(GONE);
  await open(page);
  await check(page, 'lb1/webservers/web1');
  await sluice.stop('SIGKILL');
  await expect(link(page)).toContainText('reconnecting');
  await page.getByRole('region', { name: 'Checked servers' }).getByRole('button', { name: 'Enable' }).click();
  await expect(page.getByText('Sluice did not answer. It is not known whether anything was done')).toBeVisible();
  await expect(box(page, 'lb1/webservers/web1')).toBeChecked();
});

test('a node that ends is greyed with the reason, and comes back by itself', async ({ page, lab }) => {
  await open(page);
  await mark(page);
  await lab.kill('lb2');
  await expect(status(page, 'lb2/webservers/web1')).toHaveText('was UP');
  await expect(status(page, 'lb2/webservers/web3')).toHaveText('was DOWN');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await expect(page.locator('.notice:not(.notice-lost)')).toContainText(/lb2 does not answer: .{10,}\. What is shown of it is \d+ s old/);
  await expect(link(page)).toContainText('1 of 2 nodes silent');
  await lab.start('lb2');
  await expect(status(page, 'lb2/webservers/web1')).toHaveText('UP');
  await expect(page.locator('.notice:not(.notice-lost)')).toHaveCount(0);
  await expect(link(page)).toContainText('live');
  expect(await isMarked(page)).toBe(true);
});

test('a node that hangs is greyed with the reason, and comes back by itself', async ({ page, lab }) => {
  await open(page);
  lab.freeze('lb1');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('was UP');
  await expect(page.locator('.notice:not(.notice-lost)')).toContainText('lb1 does not answer');
  lab.thaw('lb1');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await expect(page.locator('.notice:not(.notice-lost)')).toHaveCount(0);
});

test('a reload under traffic leaves the page live', async ({ page, lab, request }) => {
  await open(page);
  await mark(page);
  const worker = async () => Number(/^Pid: (\d+)/m.exec(await lab.ask('lb1', 'show info'))![1]);
  const before = await worker();
  lab.reload('lb1');
  await expect.poll(async () => worker().catch(() => before)).not.toBe(before);
  const told = async () => {
    const nodes = await (await request.get('/api/v1/nodes')).json();
    return (nodes.nodes ?? nodes).find((n: any) => n.name === 'lb1').pid;
  };
  await expect.poll(told).toBe(await worker());
  await expect(link(page)).toContainText('live');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  const rate = row(page, 'lb1/webservers/BACKEND').locator('.c-rate');
  await expect(rate).not.toHaveText((await rate.textContent()) ?? '');
  // What HAProxy shows of the new process is what the page shows.
  await lab.ask('lb1', 'set server webservers/web1 state drain');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('DRAIN');
  expect(await isMarked(page)).toBe(true);
});

test('a page opened while a node is away recovers, too', async ({ page, lab }) => {
  await lab.kill('lb1');
  await openStream(page, '/stats');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('was UP');
  await lab.start('lb1');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
});

test('Sluice started before its nodes shows them when they come', async ({ page, lab, sluice }) => {
  await sluice.stop();
  await lab.kill('lb1');
  await lab.kill('lb2');
  await sluice.start();
  await page.goto('/stats');
  await expect(page.getByText('No node has answered yet.')).toBeVisible();
  await lab.start('lb1');
  await expect(status(page, 'lb1/webservers/web1')).toHaveText('UP');
  await lab.start('lb2');
  await expect(status(page, 'lb2/webservers/web1')).toHaveText('UP');
  await expect(link(page)).toContainText('live');
});

test('the waits between tries to reconnect grow', async ({ page, sluice, guard }) => {
  guard.allow(GONE);
  await open(page);
  let tries = 0;
  page.on('websocket', () => tries++);
  await sluice.stop('SIGKILL');
  await expect(link(page)).toContainText('reconnecting');
  // Doubling from an eighth of a second at least, there are six tries in the first five seconds; on a busy machine fewer.
  await page.waitForTimeout(5_000);
  expect(tries).toBeLessThanOrEqual(7);
});
