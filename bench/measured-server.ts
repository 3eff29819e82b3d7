import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '@portico/testkit/people.ts';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';
import type { Measurement } from './bench.ts';

/** A server in a process of its own, whose CPU time is measured from outside. */
export type MeasuredServer = { readonly baseUrl: string; readonly pid: number; readonly stop: () => Promise<void> };

/** Whether the CPU time of another process can be read here. */
export const canMeasure = process.platform === 'linux';

const makeFolder = (): string => mkdtempSync(join(tmpdir(), 'portico-bench-'));

export async function startBareServer(kind: 'http' | 'fastify'): Promise<MeasuredServer> {
  const [port, folder] = [await freePort(), makeFolder()];
  const words = [join(import.meta.dirname, 'bare-server.ts'), kind, String(port), folder];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true });
  };
  return { baseUrl: `http://127.0.0.1:${port}`, pid: child.pid ?? 0, stop };
}

export async function startPortico(): Promise<MeasuredServer> {
  const dataDir = makeFolder();
  const { baseUrl, pid, signal, ended } = await startServerProcess({ dataDir, port: await freePort() });
  const stop = async () => {
    signal('SIGTERM');
    await ended;
    rmSync(dataDir, { recursive: true });
  };
  return { baseUrl, pid, stop };
}

/** Whom the bare server takes requests from: anybody. */
export const anybody = (baseUrl: string): TestClient =>
  createTestClient(baseUrl, { userId: '@anybody:localhost', accessToken: 'x'.repeat(40), deviceId: 'DEVICE' });

export async function register(baseUrl: string, username: string): Promise<TestClient> {
  const auth = { type: 'm.login.dummy' };
  const body = await must(
    createTestClient(baseUrl).post('/_matrix/client/v3/register', { username, password: 'correct horse', auth }),
  );
  return createTestClient(baseUrl, {
    userId: String(body['user_id']),
    accessToken: String(body['access_token']),
    deviceId: String(body['device_id']),
  });
}

/**
 * Does something to a server that has just been started, `count` times, and again and again. What it costs on average, all
 * threads of the server together: the first time, and at best later.
 */
export async function measureRounds(
  { pid }: MeasuredServer,
  name: string,
  count: number,
  once: (index: number) => Promise<unknown>,
): Promise<readonly Measurement[]> {
  const costs: number[] = [];
  for (let round = 0; round < 5; round++) {
    const before = cpuTime(pid);
    for (let index = 0; index < count; index++) await once(round * count + index);
    costs.push((cpuTime(pid) - before) / count);
  }
  return [
    { name: `${name}, the first ${count}`, microseconds: costs[0] ?? NaN },
    { name: `${name}, later`, microseconds: Math.min(...costs.slice(1)) },
  ];
}

/** What the threads of a process have used so far, in microseconds. */
function cpuTime(pid: number): number {
  let nanoseconds = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
  }
  return nanoseconds / 1000;
}
