// The demo's lab, two HAProxy processes with servers and traffic, and what HAProxy itself says of it.

import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { LAB_PROGRAM, Program, freePorts, runs, until } from './process';

/** Consecutive ports that the lab takes. */
const LAB_PORTS = 19;

export const NODES = ['lb1', 'lb2'] as const;
export type NodeName = (typeof NODES)[number];

/** A server of the lab, as HAProxy itself tells. */
export interface ServerState {
  backend: string;
  server: string;
  /** `srv_admin_state`. */
  admin: number;
  /** `srv_op_state`. */
  op: number;
}

/** The bits of `srv_admin_state`. */
export const ADMIN = { MAINT: 0x01, DRAIN: 0x08 };

/** Two HAProxy processes with servers and traffic. */
export class Lab {
  private constructor(
    private readonly program: Program,
    readonly dir: string,
    readonly port: number,
  ) {}

  static async start(): Promise<Lab> {
    const dir = mkdtempSync(path.join(tmpdir(), 'sluice-e2e-'));
    const port = await freePorts(LAB_PORTS);
    const program = await Program.start(LAB_PROGRAM, ['--dir', dir, '--port', String(port)]);
    const lab = new Lab(program, dir, port);
    await until(`the lab\n${program.said()}`, async () => {
      if (!program.runs()) throw new Error(program.said());
      return (await Promise.all(NODES.map((node) => lab.ask(node, 'show info')))).every((said) => said !== '');
    });
    await lab.rested();
    return lab;
  }

  async stop(): Promise<void> {
    await this.program.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Sluice's configuration: both nodes as one cluster, or each for itself. */
  config(isCluster: boolean): string {
    const cluster = path.join(this.dir, 'sluice.toml');
    if (isCluster) return cluster;
    const apart = path.join(this.dir, 'apart.toml');
    writeFileSync(apart, readFileSync(cluster, 'utf8').replace(/^cluster = .*\n/gm, ''));
    return apart;
  }

  /** Port of a node's frontend `www`. */
  www(node: NodeName): number {
    return this.port + NODES.indexOf(node);
  }

  /** Asks HAProxy itself. */
  ask(node: NodeName, command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(path.join(this.dir, `${node}.sock`));
      let said = '';
      socket.setTimeout(5_000, () => socket.destroy(new Error(`${node} is silent`)));
      socket.on('data', (data) => (said += data));
      socket.on('end', () => resolve(said));
      socket.on('error', reject);
      socket.write(`${command}\n`);
    });
  }

  /** `show stat` of one row, by HAProxy's names. */
  async stat(node: NodeName, proxy: string, name: string): Promise<Record<string, string>> {
    const [head, ...lines] = (await this.ask(node, 'show stat')).replace(/^# /, '').trim().split('\n');
    const names = head.split(',');
    const cells = lines.map((line) => line.match(/("([^"]|"")*"|[^,]*)(,|$)/g)!.map((c) => c.replace(/,$/, '').replace(/^"|"$/g, '')));
    const row = cells.find((row) => row[0] === proxy && row[1] === name);
    if (!row) throw new Error(`${node} has no ${proxy}/${name}`);
    // A dash stands between the columns of every proxy and those of some protocols, and is none itself.
    return Object.fromEntries(names.map((name, at) => [name, row[at] ?? '']).filter(([name]) => name !== '' && name !== '-'));
  }

  async status(node: NodeName, proxy: string, name: string): Promise<string> {
    return (await this.stat(node, proxy, name)).status;
  }

  /** `show servers state`. */
  async servers(node: NodeName): Promise<ServerState[]> {
    const lines = (await this.ask(node, 'show servers state')).split('\n').slice(2);
    const rows = lines.map((line) => line.split(' ')).filter((row) => row.length > 6);
    return rows.map((row) => ({ backend: row[1], server: row[3], op: Number(row[5]), admin: Number(row[6]) }));
  }

  async server(node: NodeName, backend: string, server: string): Promise<ServerState> {
    const found = (await this.servers(node)).find((s) => s.backend === backend && s.server === server);
    if (!found) throw new Error(`${node} has no ${backend}/${server}`);
    return found;
  }

  /** The master's pid. */
  master(node: NodeName): number {
    return Number(readFileSync(path.join(this.dir, `${node}.pid`), 'utf8').trim());
  }

  /** The master and its workers. */
  private family(node: NodeName): number[] {
    const master = this.master(node);
    const children = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ');
    return [master, ...children.filter(Boolean).map(Number)];
  }

  runs(node: NodeName): boolean {
    try {
      const pid = this.master(node);
      return runs(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('haproxy');
    } catch {
      return false;
    }
  }

  /** Ends a node at once, as a crash does. */
  async kill(node: NodeName): Promise<void> {
    const family = this.family(node);
    family.forEach((pid) => process.kill(pid, 'SIGKILL'));
    await until(`end of ${node}`, async () => !family.some(runs));
  }

  /** Keeps a node's processes from running; connections are still taken by the kernel. */
  freeze(node: NodeName): void {
    this.family(node).forEach((pid) => process.kill(pid, 'SIGSTOP'));
  }

  thaw(node: NodeName): void {
    this.family(node).forEach((pid) => process.kill(pid, 'SIGCONT'));
  }

  /** Starts a node that was ended. */
  async start(node: NodeName): Promise<void> {
    spawn('/bin/sh', [path.join(this.dir, `${node}.cmd`)], { stdio: 'ignore', detached: true }).unref();
    await until(`start of ${node}`, async () => (await this.ask(node, 'show info')) !== '');
  }

  /** Reloads a node's configuration, as systemd does. */
  reload(node: NodeName): void {
    process.kill(this.master(node), 'SIGUSR2');
  }

  /** Puts a server back to what the configuration says. */
  private async resetNode(node: NodeName): Promise<void> {
    const commands = (await this.servers(node)).flatMap(({ backend, server, admin }) => {
      const name = `${backend}/${server}`;
      const isDisabled = server === 'static2';
      const wanted = isDisabled ? ADMIN.MAINT : 0;
      const out = (admin & (ADMIN.MAINT | ADMIN.DRAIN)) === wanted ? [] : [`set server ${name} state ${isDisabled ? 'maint' : 'ready'}`];
      return [...out, `enable health ${name}`, `enable agent ${name}`];
    });
    const web5 = await this.stat(node, 'webservers', 'web5');
    commands.push(`set server webservers/web5 check-port ${web5.addr.split(':')[1]}`);
    await this.ask(node, commands.join('; '));
  }

  /** After a test: both nodes run, and every server is as configured. */
  async reset(): Promise<void> {
    for (const node of NODES) {
      if (this.runs(node)) this.thaw(node);
      else await this.start(node);
      await this.resetNode(node);
    }
    await this.rested();
  }

  /** Until HAProxy shows what the configuration makes of the lab: only web3 is down, static2 is in maintenance. */
  private async rested(): Promise<void> {
    await until('the lab at rest', async () => {
      for (const node of NODES) {
        const servers = await this.servers(node);
        const down = servers.filter((s) => s.server !== 'web5' && s.op === 0).map((s) => s.server);
        if (down.join() !== 'web3,static2') return false;
      }
      return true;
    });
  }

  /** Keeps web5, whose health comes and goes, UP until the reset: web4 answers its checks. */
  async keepWeb5Up(): Promise<void> {
    const web4 = await this.stat('lb1', 'webservers', 'web4');
    const port = Number(web4.addr.split(':')[1]);
    await Promise.all(
      NODES.map(async (node) => {
        await this.ask(node, `set server webservers/web5 check-port ${port}; set server webservers/web5 health up`);
        await until('web5 UP', async () => (await this.status(node, 'webservers', 'web5')) === 'UP');
      }),
    );
  }

  /** Opens a long answer through a node's frontend. */
  stream(node: NodeName, seconds = 100): Promise<Stream> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: this.www(node), path: `/stream?seconds=${seconds}`, agent: false };
      const request = http.get(options, (response) => {
        const stream = { server: /SRV=(\w+)/.exec(String(response.headers['set-cookie']))?.[1] ?? '', ended: false, close: () => request.destroy() };
        response.on('error', () => (stream.ended = true));
        response.on('close', () => (stream.ended = true));
        response.resume();
        resolve(stream);
      });
      request.on('error', reject);
    });
  }
}

export interface Stream {
  /** Which server answers. */
  server: string;
  ended: boolean;
  close(): void;
}
