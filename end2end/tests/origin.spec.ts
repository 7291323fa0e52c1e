import http from 'node:http';

import { expect, open, stranger, test } from '../test';

for (const host of ['127.0.0.1', 'localhost']) {
  test.describe(`a page of another port at ${host}`, () => {
    const body = JSON.stringify({ action: 'maint', targets: [{ node: 'lb1', backend: 'webservers', server: 'web2' }] });

    test('cannot post the form', async ({ page, lab, sluice, guard }) => {
      const fields = { do: 'maint', confirmed: 'yes', s: 'lb1/webservers/web2' };
      const inputs = Object.entries(fields).map(([n, v]) => `<input name="${n}" value="${v}">`);
      const evil = await stranger(`<form method="post" action="${sluice.url}/stats">${inputs.join('')}<button>Win</button></form>`);
      guard.allowOrigin(`http://${host}:${evil.port}`);
      guard.allow(/favicon|status of 403/);
      try {
        await page.goto(`http://${host}:${evil.port}/`);
        const answer = page.waitForResponse(`${sluice.url}/stats`);
        await page.getByRole('button').click();
        expect((await answer).status()).toBe(403);
        expect((await lab.server('lb1', 'webservers', 'web2')).admin).toBe(0);
      } finally {
        evil.close();
      }
    });

    test('cannot call the API, read it, or open the stream', async ({ page, lab, sluice, guard }) => {
      const evil = await stranger('<p>Hello</p>');
      guard.allowOrigin(`http://${host}:${evil.port}`);
      guard.allow(/CORS|ERR_FAILED|ERR_BLOCKED_BY_RESPONSE|WebSocket|status of 403|status of 405/);
      try {
        await page.goto(`http://${host}:${evil.port}/`);
        const posts = await page.evaluate(
          async ({ url, body }) => {
            const out: string[] = [];
            for (const mode of ['no-cors', 'cors'] as const) {
              for (const type of ['text/plain', 'application/json', 'application/x-www-form-urlencoded']) {
                const init = { method: 'POST', mode, headers: { 'content-type': type }, body };
                out.push(await fetch(`${url}/api/v1/actions`, init).then((r) => r.type, () => 'refused'));
              }
            }
            return out;
          },
          { url: sluice.url, body },
        );
        for (const post of posts) expect(['refused', 'opaque']).toContain(post);
        expect((await lab.server('lb1', 'webservers', 'web2')).admin).toBe(0);
        const read = await page.evaluate((url) => fetch(`${url}/api/v1/stats`).then((r) => r.text(), () => 'refused'), sluice.url);
        expect(read).toBe('refused');
        const stream = await page.evaluate(
          (url) =>
            new Promise((resolve) => {
              const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
              socket.onopen = () => resolve('open');
              socket.onmessage = () => resolve('message');
              socket.onclose = (e) => resolve(`closed ${e.code}`);
            }),
          sluice.url,
        );
        expect(stream).toBe('closed 1006');
      } finally {
        evil.close();
      }
    });

    test('cannot frame a page', async ({ page, sluice, guard }) => {
      const evil = await stranger(['/stats', '/wall'].map((path) => `<iframe src="${sluice.url}${path}"></iframe>`).join(''));
      guard.allowOrigin(`http://${host}:${evil.port}`);
      guard.allow(/frame|favicon|ERR_BLOCKED_BY_RESPONSE/i);
      try {
        await page.goto(`http://${host}:${evil.port}/`);
        await expect.poll(() => page.frames().length).toBe(3);
        for (const frame of page.frames().slice(1)) {
          await expect.poll(() => frame.url()).toMatch(/^chrome-error:/);
        }
      } finally {
        evil.close();
      }
    });
  });
}

test('another name for this machine is not answered', async ({ sluice }) => {
  const status = await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port: sluice.port, path: '/stats', headers: { host: 'sluice.example' } };
    http.get(options, (response) => resolve(response.resume().statusCode)).on('error', reject);
  });
  expect(status).toBe(421);
});

test('our own page under the name localhost works', async ({ page, sluice, guard }) => {
  guard.allowOrigin(`http://localhost:${sluice.port}`);
  await open(page, `http://localhost:${sluice.port}/stats`);
  await page.locator('tr[data-row="lb1/webservers/web2"]').getByRole('checkbox').check();
  await page.getByRole('region', { name: 'Checked servers' }).getByRole('button', { name: 'Enable' }).click();
  await expect(page.getByTestId('outcomes')).toContainText('1 unchanged');
});
