// Sluice on the lab, with accounts where a test has them.

import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';

import { type Lab, NODES } from './lab';
import { PROGRAM, Program, freePorts, until } from './process';

/** An account of the tests. */
export interface Account {
  name: string;
  password: string;
}

/** One account per role, where a test has accounts at all. */
export const ACCOUNTS = {
  viewer: { name: 'viewer', password: 'a viewer of the tests' },
  operator: { name: 'operator', password: 'an operator of the tests' },
  admin: { name: 'admin', password: 'an admin of the tests' },
} satisfies Record<string, Account>;

/** Sluice on the lab. */
export class Sluice {
  private program?: Program;
  /** A session of the tests' own, where there are accounts. */
  private cookie = '';
  private constructor(
    readonly port: number,
    private readonly config: string,
    private readonly data: string,
  ) {}

  static async start(lab: Lab, isCluster: boolean, hasAccounts = false): Promise<Sluice> {
    return Sluice.startWith(lab, lab.config(isCluster), hasAccounts);
  }

  /** Starts one with a configuration of one's own. */
  static async startWith(lab: Lab, config: string, hasAccounts = false): Promise<Sluice> {
    const data = mkdtempSync(path.join(lab.dir, 'data-'));
    const sluice = new Sluice(await freePorts(1), config, data);
    if (hasAccounts) {
      for (const [role, account] of Object.entries(ACCOUNTS)) {
        sluice.user(['add', account.name, '--role', role, '--password-stdin'], `${account.password}\n`);
      }
    }
    await sluice.start();
    return sluice;
  }

  /** `sluice user` on the folder of this one. */
  user(words: string[], input = ''): void {
    execFileSync(PROGRAM, ['user', ...words, '--data', this.data], { input, stdio: ['pipe', 'ignore', 'inherit'] });
  }

  /** Asks for JSON, with the tests' own session where that is needed. */
  private async json<T>(address: string): Promise<T> {
    const ask = () => fetch(`${this.url}${address}`, { headers: this.cookie ? { cookie: this.cookie } : {} });
    let answer = await ask();
    if (answer.status === 401) {
      const { name: user, password } = ACCOUNTS.admin;
      const body = JSON.stringify({ user, password });
      const came = await fetch(`${this.url}/api/v1/login`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      this.cookie = came.headers.getSetCookie().map((cookie) => cookie.split(';')[0]).join('; ');
      answer = await ask();
    }
    return (await answer.json()) as T;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    if (this.program?.runs()) return;
    const where = ['--config', this.config, '--data', this.data, '--listen', `127.0.0.1:${this.port}`];
    const program = await Program.start(PROGRAM, ['serve', ...where]);
    this.program = program;
    await until(`Sluice\n${program.said()}`, async () => {
      if (!program.runs()) throw new Error(program.said());
      return (await fetch(`${this.url}/healthz`)).ok;
    });
  }

  /** Asks it to end, without waiting for that. */
  signal(signal: NodeJS.Signals): void {
    if (this.program?.runs()) process.kill(this.program.pid, signal);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.program?.stop(signal);
  }

  /** After a test: it runs, all nodes are live to it, and it has seen that every server is back as configured. */
  async reset(): Promise<void> {
    if (this.program?.runs()) this.signal('SIGCONT');
    else await this.start();
    await until('Sluice at rest', async () => {
      const { nodes } = await this.json<{ nodes: { link: string }[] }>('/api/v1/nodes');
      if (nodes.filter((node) => node.link === 'live').length !== NODES.length) return false;
      const stats = await this.json<{ nodes: { rows: Record<string, string>[] }[] }>('/api/v1/stats');
      const changed = stats.nodes.flatMap((n) => n.rows).filter((r) => r.svname !== 'static2' && r.svname !== 'web3' && r.svname !== 'web5');
      return changed.every((r) => /^(UP|OPEN|no check)/.test(r.status));
    });
  }
}
