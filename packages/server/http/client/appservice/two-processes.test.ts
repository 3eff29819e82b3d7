import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { actingAs, startTestBridge } from '@portico/testkit/bridge.ts';
import { createTestDatabase } from '@portico/testkit/index.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';

const v3 = '/_matrix/client/v3';
const ghost = '@_ghost_a:localhost';

test('two processes on one database tell a service everything once and in order', { timeout: 90_000 }, async (t) => {
  const bridge = await startTestBridge();
  const databaseUrl = await createTestDatabase();
  const settings = { APPLICATION_SERVICES: JSON.stringify([bridge.file]) };
  const one = await startTestServer({ engine: 'postgres', databaseUrl, settings });
  const other = await startTestServer({ engine: 'postgres', databaseUrl, settings });
  t.after(async () => {
    await Promise.all([one.close(), other.close()]);
    await bridge.close();
  });
  const as = one.as({ userId: '@_bot:localhost', accessToken: bridge.asToken, deviceId: '' });
  await as.post(`${v3}/register`, { type: 'm.login.application_service', username: '_ghost_a', inhibit_login: true });
  const alice = createSyncClient(await one.registerUser());
  const there = createSyncClient(await other.registerUser());
  const roomId = await alice.createRoom();
  await as.post(actingAs(alice.room(roomId, 'join'), ghost), {});
  await there.join(roomId);

  const told = () =>
    bridge.events.filter(({ type }) => type === 'm.room.message').map(({ content }) => content['body']);
  const sentIds = () => bridge.requests.map(({ path }) => Number(path.split('/').at(-1)));
  const expected: string[] = [];
  const say = async (text: string, by = alice): Promise<void> => {
    await by.send(roomId, text);
    expected.push(text);
  };
  const hasBeenTold = async (): Promise<void> => {
    await bridge.until(() => told().length >= expected.length);
    assert.deepEqual(told(), expected);
  };

  // While one transaction is under way, nobody begins another.
  const { promise: isHolding, resolve: hold } = Promise.withResolvers<void>();
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  bridge.answerWith(async ({ body }) => {
    if (!JSON.stringify(body).includes('held')) return undefined;
    hold();
    await released;
    return undefined;
  });
  await say('held');
  await isHolding;
  const before = bridge.requests.length;
  const database = await openRawDatabase(databaseUrl);
  t.after(() => database.close());
  const heldUntil = async () =>
    Number((await database.run('select lease_until from app_services'))[0]?.['lease_until']);
  const first = await heldUntil();
  assert.ok(first <= Date.now() + 20_000, 'should the process be gone, the other one does not wait for long');
  while ((await heldUntil()) === first) await setTimeout(100);
  for (let index = 0; index < 20; index++) await say(`message ${index}`, index % 2 === 0 ? there : alice);
  assert.equal(bridge.requests.length, before);
  release();
  await hasBeenTold();
  bridge.answerWith(undefined);
  assert.deepEqual(sentIds(), [...new Set(sentIds())]);

  // Whichever of them delivered, the other one goes on where that ends.
  await one.stop();
  await say('after one has gone', there);
  await hasBeenTold();
  const back = await startTestServer({ engine: 'postgres', databaseUrl, settings });
  t.after(() => back.close());
  await say('and come back', there);
  await hasBeenTold();
  await other.stop();
  const late = createSyncClient(await back.registerUser());
  await late.join(roomId);
  await say('after the other has gone', late);
  await hasBeenTold();
  // What was under way when a process ended is repeated by the next one, with its ID.
  const ids = sentIds();
  assert.deepEqual(
    ids,
    ids.toSorted((a, b) => a - b),
  );
});
