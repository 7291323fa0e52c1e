// The program under test as a process: started, signalled by pid, and ended with the run.

import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The program under test. */
export const PROGRAM = path.resolve(process.env.SLUICE_BIN ?? path.join(__dirname, '../target/release/sluice'));

/** The program that starts HAProxy for it to look at. */
export const LAB_PROGRAM = path.resolve(process.env.SLUICE_LAB_BIN ?? path.join(__dirname, '../target/release/sluice-lab'));

/** Waits until `probe` gives something, and fails with what was waited for. */
export async function until<T>(what: string, probe: () => Promise<T | undefined | false>, ms = 20_000): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  do {
    try {
      const got = await probe();
      if (got) return got;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  } while (Date.now() < end);
  throw new Error(`${what}: not within ${ms} ms${last ? `; ${last}` : ''}`);
}

/** Says whether a process runs; one that has ended and was not waited for does not. */
export function runs(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** The first of `count` free ports, below those that the system hands out by itself. */
export async function freePorts(count: number): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    const base = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(base + at)));
    if (free.every(Boolean)) return base;
  }
  throw new Error('no free ports');
}

/**
 * A program that ends with this one, however this one ends: the shell around it waits for the end of a pipe that we
 * hold. Ctrl-C is for Playwright alone, which then ends everything in order.
 */
export class Program {
  private output = '';
  private constructor(
    private readonly path: string,
    private readonly shell: ChildProcess,
    readonly pid: number,
  ) {}

  static async start(program: string, args: string[]): Promise<Program> {
    const script = 'trap "" INT; "$@" </dev/null & echo $!; cat >/dev/null; kill -TERM $! 2>/dev/null; wait';
    const shell = spawn('/bin/sh', ['-c', script, 'sh', program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    const first = await new Promise<string>((resolve, reject) => {
      shell.once('error', reject);
      shell.stdout.once('data', (data) => resolve(String(data)));
    });
    const started = new Program(program, shell, Number.parseInt(first, 10));
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.on('data', (data) => (started.output = (started.output + data).slice(-4_000)));
    }
    return started;
  }

  runs(): boolean {
    return runs(this.pid);
  }

  /** What it wrote last. */
  said(): string {
    return this.output;
  }

  /** Ends it, and waits for that. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.runs()) process.kill(this.pid, signal);
    await until(`end of ${this.path}`, async () => !this.runs());
    this.shell.stdin?.end();
  }
}
