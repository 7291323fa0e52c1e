// What every test gets: the lab, Sluice on it, and a browser context in which any error fails the test.

import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { AxeBuilder } from '@axe-core/playwright';
import { test as base, expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

import { Lab } from './lab';
import { type Account, Sluice } from './sluice';

export { expect } from '@playwright/test';

/** Watches browser contexts: console errors, exceptions, refusals of the content security policy, foreign requests. */
export class Guard {
  private readonly seen: string[] = [];
  private readonly allowed: RegExp[] = [];
  private readonly origins: string[];

  constructor(origin: string) {
    this.origins = [origin];
  }

  /** Lets a test do what cannot be done without such an error. */
  allow(error: RegExp): void {
    this.allowed.push(error);
  }

  /** Lets a test load pages of another origin. */
  allowOrigin(origin: string): void {
    this.origins.push(origin);
  }

  async watch(context: BrowserContext): Promise<void> {
    context.on('console', (message) => {
      if (message.type() === 'error' || /hydrat/i.test(message.text())) {
        this.seen.push(`console: ${message.text()} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.seen.push(`exception: ${error.error()}`));
    context.on('request', (request) => {
      const { protocol, origin } = new URL(request.url());
      if (/^https?:$/.test(protocol) && !this.origins.includes(origin)) this.seen.push(`foreign request: ${request.url()}`);
    });
    await context.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (e) => {
        console.error(`CSP: ${e.violatedDirective} refused ${e.blockedURI || e.sourceFile} ${e.sample}`);
      });
    });
  }

  /** What must not have been. */
  complaints(): string[] {
    return this.seen.filter((one) => !this.allowed.some((allowed) => allowed.test(one)));
  }
}

/** What the browser says while Sluice does not answer. */
export const GONE = /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to .* failed/;

interface TestFixtures {
  guard: Guard;
  tidy: void;
}

interface WorkerFixtures {
  lab: Lab;
  sluice: Sluice;
  /** Whether Sluice takes both nodes as one cluster. */
  isCluster: boolean;
  /** Whether Sluice has accounts. */
  hasAccounts: boolean;
}

export const test = base.extend<TestFixtures, WorkerFixtures>({
  lab: [
    async ({}, use) => {
      const lab = await Lab.start();
      await use(lab);
      await lab.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  isCluster: [false, { option: true, scope: 'worker' }],
  hasAccounts: [false, { option: true, scope: 'worker' }],
  sluice: [
    async ({ lab, isCluster, hasAccounts }, use) => {
      const sluice = await Sluice.start(lab, isCluster, hasAccounts);
      await sluice.reset();
      await use(sluice);
      await sluice.stop();
    },
    { scope: 'worker', timeout: 60_000 },
  ],
  // Puts everything back. It is set up before the browser context, and so ends after it: no page sees the tidying.
  tidy: [
    async ({ lab, sluice }, use) => {
      await use();
      sluice.signal('SIGCONT');
      await lab.reset();
      await sluice.reset();
    },
    { auto: true, timeout: 60_000 },
  ],
  baseURL: async ({ sluice }, use) => use(sluice.url),
  guard: async ({ sluice }, use) => {
    const guard = new Guard(sluice.url);
    await use(guard);
    expect(guard.complaints(), 'errors in the browser').toEqual([]);
  },
  context: async ({ tidy: _tidy, guard, context }, use) => {
    await guard.watch(context);
    await use(context);
  },
});

/** Opens a page, and waits until the program has taken it over and the stream flows. */
export async function openStream(page: Page, address: string): Promise<void> {
  // A page that is being left may open a stream in its last moment: only what comes after the new page began is its own.
  await page.goto(address, { waitUntil: 'commit' });
  const socket = await page.waitForEvent('websocket');
  await socket.waitForEvent('framereceived');
  await page.waitForLoadState();
}

/** Opens a page on which every node is live. */
export async function open(page: Page, address = '/stats'): Promise<void> {
  await openStream(page, address);
  await expect(link(page)).toContainText('live');
}

/** Fills in the form of the log-in page, and sends it. */
export async function logIn(page: Page, { name, password }: Account): Promise<void> {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** The pill that says whether the page is the present. */
export const link = (page: Page): Locator => page.getByTestId('link');

/** A row by `NODE/BACKEND/SERVER`. */
export const row = (page: Page, target: string): Locator => page.locator(`tr[data-row="${target}"]`);

/** A row's checkbox. */
export const box = (page: Page, target: string): Locator => row(page, target).getByRole('checkbox');

/** A row's state. */
export const status = (page: Page, target: string): Locator => row(page, target).locator('.c-status .st');

/** The bar for everything checked. */
export const bar = (page: Page): Locator => page.getByRole('region', { name: 'Checked servers' });

/** A section. */
export const card = (page: Page, proxy: string, node: string): Locator =>
  page.getByRole('region', { name: `${proxy} on ${node}`, exact: true });

export const question = (page: Page): Locator => page.locator('dialog[aria-labelledby="confirm-title"]');
export const details = (page: Page): Locator => page.locator('dialog[aria-labelledby="details-title"]');
export const outcomes = (page: Page): Locator => page.getByTestId('outcomes');

export async function check(page: Page, ...targets: string[]): Promise<void> {
  for (const target of targets) await box(page, target).check();
}

/** Chooses an action in a bar or a section, and applies it. */
export async function apply(where: Locator, action: string): Promise<void> {
  await where.getByRole('combobox').selectOption(action);
  await where.getByRole('button', { name: 'Apply' }).click();
}

/** Says yes to the question, typing the names that it asks for. */
export async function confirm(page: Page, ...names: string[]): Promise<void> {
  const dialog = question(page);
  await expect(dialog).toBeVisible();
  for (const name of names) await dialog.getByLabel(`Nothing in ${name}`).fill(name);
  await dialog.locator('button[type=submit]').click();
}

/** Fails on anything that axe finds, with where it is. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.flatMap((v) =>
    v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary?.replace(/\s+/g, ' ')}`),
  );
  expect.soft(found, `axe: ${what}`).toEqual([]);
}

/** Marks the page, so that a reload shows. */
export const mark = (page: Page): Promise<void> => page.evaluate(() => void ((window as any).marked = true));
export const isMarked = (page: Page): Promise<boolean> => page.evaluate(() => (window as any).marked === true);

/** What reaches over the window's edges, but for what scrolls inside a box of its own. */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const out: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > window.innerWidth) out.push(`document: ${root.scrollWidth} > ${window.innerWidth}`);
    for (const e of document.querySelectorAll<HTMLElement>('body *:not(svg *)')) {
      const { left, right, width, height } = e.getBoundingClientRect();
      if (width <= 1 || height <= 1 || (left >= -1 && right <= window.innerWidth + 1)) continue;
      let scrolls = false;
      for (let p = e.parentElement; p; p = p.parentElement) scrolls ||= /auto|scroll/.test(getComputedStyle(p).overflowX);
      if (!scrolls) out.push(`${e.tagName.toLowerCase()}.${e.getAttribute('class') ?? ''}: ${Math.round(left)} to ${Math.round(right)}`);
    }
    return out;
  });
}

/** Everything visible that can be touched and is smaller than 44 by 44 px. An input counts with its label. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const LEAST = 44 - 0.5;
    const out: string[] = [];
    const modal = document.querySelector('dialog:modal');
    for (const e of (modal ?? document).querySelectorAll<HTMLElement>('a[href], button, select, input, summary, [role=button]')) {
      const target = (e instanceof HTMLInputElement && e.closest('label')) || e;
      const { width, height } = target.getBoundingClientRect();
      if (!e.checkVisibility({ visibilityProperty: true }) || (width === 0 && height === 0)) continue;
      if (width < LEAST || height < LEAST) {
        const name = e.getAttribute('aria-label') ?? (e.textContent?.trim() || e.id);
        out.push(`${e.tagName.toLowerCase()} "${name.slice(0, 40)}": ${Math.round(width)}x${Math.round(height)}`);
      }
    }
    return out;
  });
}

/** A page of somebody else's. */
export async function stranger(html: string): Promise<{ port: number; close(): void }> {
  const server = http.createServer((_, response) => response.setHeader('content-type', 'text/html').end(html));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}
