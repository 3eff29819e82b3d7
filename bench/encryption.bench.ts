import { newDeviceKeys, newOneTimeKeys } from '@portico/testkit/device-keys.ts';
import { must } from '@portico/testkit/people.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import type { Measurement } from './bench.ts';
import { anybody, canMeasure, measureRounds, register, startBareServer, startPortico } from './measured-server.ts';

const people = 20;
const watching = 8;
const times = 40;
const keys = '/_matrix/client/v3/keys';

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

const byUser = <T>(some: readonly TestClient[], of: (deviceId: string) => T) =>
  Object.fromEntries(some.map(({ userId, deviceId }) => [userId, of(deviceId)]));

const claimOf = (clients: readonly TestClient[]) => ({
  one_time_keys: byUser(clients, (deviceId) => ({ [deviceId]: 'signed_curve25519' })),
});

/** What requests of encryption cost, and claims beside a server that does nothing else. */
export async function measured(): Promise<readonly Measurement[]> {
  return canMeasure ? [...(await measureBareClaims()), ...(await measurePortico())] : [];
}

async function measureBareClaims(): Promise<readonly Measurement[]> {
  const server = await startBareServer('http');
  try {
    const client = anybody(server.baseUrl);
    const names = Array.from({ length: people }, (_, index) => [`@u${index}:localhost`, { D: 'signed_curve25519' }]);
    const claim = { one_time_keys: Object.fromEntries(names) as object };
    const name = "a claim of 20 keys, Node's HTTP server and a thread that writes";
    return await measureRounds(server, name, times, () => must(client.post(`${keys}/claim`, claim)));
  } finally {
    await server.stop();
  }
}

async function measurePortico(): Promise<readonly Measurement[]> {
  const server = await startPortico();
  try {
    const clients = await Promise.all(Array.from({ length: people }, (_, n) => register(server.baseUrl, `u${n}`)));
    const clientOf = (index: number) => clients[index % people] as TestClient;
    const measure = (name: string, once: (index: number, client: TestClient) => Promise<unknown>) =>
      measureRounds(server, `${name}, Portico`, times, (index) => once(index, clientOf(index)));
    const query = { device_keys: byUser(clients, () => []) };
    return [
      ...(await measure('an upload of a device and 50 one-time keys', (index, client) => upload(client, index, 50))),
      ...(await measure('a query for 20 people', (_, client) => must(client.post(`${keys}/query`, query)))),
      ...(await measure('a claim of 20 keys', (_, client) => must(client.post(`${keys}/claim`, claimOf(clients))))),
      ...(await measureMessages(clients.slice(0, watching), measure)),
    ];
  } finally {
    await server.stop();
  }
}

function upload(client: TestClient, index: number, count: number): Promise<unknown> {
  const named = Object.entries(newOneTimeKeys(count)).map(([name, key]) => [`${name}${index}`, key] as const);
  const body = { device_keys: newDeviceKeys(client), one_time_keys: Object.fromEntries(named) };
  return must(client.post(`${keys}/upload`, body));
}

type Measure = (
  name: string,
  once: (index: number, client: TestClient) => Promise<unknown>,
) => Promise<readonly Measurement[]>;

async function measureMessages(watchers: readonly TestClient[], measure: Measure): Promise<readonly Measurement[]> {
  let missing = 0;
  let arrived = (): void => undefined;
  const followed = watchers.map((client) =>
    follow(client, (count) => {
      missing -= count;
      if (missing === 0) arrived();
    }),
  );
  const results = await measure(`a message to ${watching} devices that sync`, async (index, client) => {
    const text = { ciphertext: 'c2FsdA'.repeat(100) };
    const messages = byUser(watchers, (deviceId) => ({ [deviceId]: text }));
    missing += watchers.length;
    const all = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await must(client.put(`/_matrix/client/v3/sendToDevice/m.test/${index}`, { messages }));
    if (missing > 0) await all;
  });
  await Promise.all(followed.map((stop) => stop()));
  return results;
}
