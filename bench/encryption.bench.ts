import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newDeviceKeys, newOneTimeKeys } from '@portico/testkit/device-keys.ts';
import { freePort, startServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';
import type { Measurement } from './bench.ts';

const people = 20;
const watching = 8;
const rounds = 300;
const warmUp = 100;
/** How long the kernel counts for one tick, in microseconds. */
const tick = 10_000;

/** What a process has computed with all of its threads, in microseconds. */
function cpuOf(pid: number): number {
  const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) * tick;
}

async function must(answer: Promise<{ status: number; body: unknown }>): Promise<unknown> {
  const { status, body } = await answer;
  if (status !== 200) throw new Error(JSON.stringify(body));
  return body;
}

/** Keeps asking for what is new, and counts the messages that come. */
function follow(client: TestClient, onMessages: (count: number) => void): () => Promise<void> {
  const controller = new AbortController();
  const ended = (async () => {
    let since: string | undefined;
    while (!controller.signal.aborted) {
      const query = since === undefined ? '' : `?timeout=2000&since=${since}`;
      const body = (await must(client.get(`/_matrix/client/v3/sync${query}`))) as {
        next_batch: string;
        to_device?: { events: readonly unknown[] };
      };
      since = body.next_batch;
      onMessages(body.to_device?.events.length ?? 0);
    }
  })();
  return () => {
    controller.abort();
    return ended;
  };
}

/** A server in a process of its own, over HTTP: what all of its threads compute for a request is counted. */
export async function measured(): Promise<readonly Measurement[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-bench-'));
  const server = await startServerProcess({ dataDir, port: await freePort() });
  if (server === undefined) throw new Error('The server did not start');
  const { baseUrl, pid } = server;
  const clients: TestClient[] = [];
  for (let person = 0; person < people; person++) {
    const auth = { type: 'm.login.dummy' };
    const body = { username: `u${person}`, password: 'a password', auth };
    const session = await must(createTestClient(baseUrl).post('/_matrix/client/v3/register', body));
    const { user_id: userId, access_token: accessToken, device_id: deviceId } = session as Record<string, string>;
    clients.push(createTestClient(baseUrl, { userId, accessToken, deviceId } as TestClient));
  }
  const results: Measurement[] = [];
  async function measure(name: string, units: number, once: (round: number, client: TestClient) => Promise<unknown>) {
    let start = 0;
    for (let round = 0; round < warmUp + rounds; round++) {
      if (round === warmUp) start = cpuOf(pid);
      await once(round, clients[round % people] as TestClient);
    }
    results.push({ name, microseconds: (cpuOf(pid) - start) / rounds / units });
  }
  const byUser = <T>(some: readonly TestClient[], of: (deviceId: string) => T) =>
    Object.fromEntries(some.map(({ userId, deviceId }) => [userId, of(deviceId)]));
  const keys = '/_matrix/client/v3/keys';
  const upload = (round: number, client: TestClient, count: number) => {
    const named = Object.entries(newOneTimeKeys(count)).map(([name, key]) => [`${name}${round}`, key] as const);
    const body = { device_keys: newDeviceKeys(client), one_time_keys: Object.fromEntries(named) };
    return must(client.post(`${keys}/upload`, body));
  };
  await measure('an upload of a device and 50 one-time keys', 1, (round, client) => upload(round, client, 50));
  const query = { device_keys: byUser(clients, () => []) };
  await measure('a query for 20 people', 1, (_, client) => must(client.post(`${keys}/query`, query)));
  const claim = { one_time_keys: byUser(clients, (deviceId) => ({ [deviceId]: 'signed_curve25519' })) };
  await measure('a claim of 20 keys', 1, (_, client) => must(client.post(`${keys}/claim`, claim)));

  const watchers = clients.slice(0, watching);
  let missing = 0;
  let arrived = (): void => undefined;
  const followed = watchers.map((client) =>
    follow(client, (count) => {
      missing -= count;
      if (missing === 0) arrived();
    }),
  );
  await measure(`a message delivered to one of ${watching} devices that sync`, watching, async (round, client) => {
    const text = { ciphertext: 'c2FsdA'.repeat(100) };
    const messages = byUser(watchers, (deviceId) => ({ [deviceId]: text }));
    missing += watching;
    const all = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await must(client.put(`/_matrix/client/v3/sendToDevice/m.test/${round}`, { messages }));
    if (missing > 0) await all;
  });
  await Promise.all(followed.map((stop) => stop()));
  server.signal('SIGTERM');
  await server.ended;
  rmSync(dataDir, { recursive: true, force: true });
  return results;
}
