import assert from 'node:assert/strict';
import { parseServerName } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import {
  claimDestination,
  findDestination,
  setDestination,
} from '@portico/storage/stores/federation/federation-destinations.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { createSendFirst } from './create-send-first.ts';

const alice = { userId: '@alice:a', deviceId: 'A' };
const bob = { userId: '@bob:b', deviceId: 'B' };
const host = parseServerName('b');
assert.ok(host);

/** What the sender of a process has done: the server has everything up to a position, or does not answer. */
async function write(db: Database, position: number, failures = 0): Promise<void> {
  assert.ok(host);
  const set = createWriteSet();
  claimDestination(set, host, 0, 'sender', 0);
  const row = { host, position, receipt_position: position, retry_at: 0, failing_since: 0, attempt: null };
  setDestination(set, 'sender', { ...row, failures });
  await db.commit(set);
}

/** A database that does something when it is asked how far a server has got for the second time. */
function onSecondLook(db: Database, act: () => Promise<void>) {
  const looks = { count: 0 };
  const get: Database['get'] = async (statement, params) => {
    if (statement.name === 'federation-destinations.get' && ++looks.count === 2) await act();
    return db.get(statement, params);
  };
  return { db: Object.create(db, { get: { value: get } }) as Database, looks };
}

onBothEngines('what waits for a server in a room is waited for, but not for long', async (db) => {
  const [a, b] = await Promise.all(['a', 'b'].map((serverName) => openTestRooms(db, { serverName })));
  assert.ok(a && b && host);
  const tried: string[] = [];
  const sender = { tryNow: (asked: string) => void tried.push(asked) };
  const roomId = await a.rooms.create(alice, { preset: 'public_chat' });
  const other = await a.rooms.create(alice, { preset: 'public_chat' });
  for (const each of [roomId, other]) await b.rooms.join(bob, each, { reason: undefined, via: [] });
  /** How often it was looked how far the server has got. */
  async function looksWhile(act: () => Promise<void>, room = roomId, patience = 60_000): Promise<number> {
    assert.ok(host);
    const { db: watched, looks } = onSecondLook(db, act);
    await createSendFirst({ db: watched, serverName: 'a', sender, patience: { each: patience, all: 600_000 } })()(
      host,
      room,
    );
    return looks.count;
  }
  const nothing = async (): Promise<void> => {};
  const say = (body: string) => a.rooms.send(alice, roomId, 'm.room.message', body, { body });
  const everything = () => write(db, db.currentPosition());

  assert.equal(await looksWhile(nothing), 1, 'it has been there for all of it');
  await say('one');
  assert.equal(await looksWhile(everything), 2, 'it has never been sent anything');
  assert.equal(await looksWhile(nothing), 1, 'it has everything');
  await b.rooms.send(bob, roomId, 'm.room.message', 'its own', { body: 'its own' });
  assert.equal(await looksWhile(nothing), 1, 'it is not sent its own events');
  await say('two');
  assert.equal(await looksWhile(nothing, other), 1, 'it has everything in that room');
  assert.equal(await looksWhile(nothing, '!nowhere:a'), 1);
  const { position = 0 } = (await findDestination(db, host)) ?? {};
  assert.equal(await looksWhile(() => write(db, position, 1)), 2, 'it does not answer');
  assert.deepEqual(tried, []);
  assert.equal(await looksWhile(() => write(db, position, 2)), 2, 'nor now');
  assert.deepEqual(tried, ['b']);
  assert.equal(await looksWhile(nothing, roomId, 35), 4, 'after 10, 20 and 40 milliseconds');
  const { db: watched, looks } = onSecondLook(db, nothing);
  const sendFirst = createSendFirst({ db: watched, serverName: 'a', sender, patience: { each: 60, all: 100 } })();
  const looksOf = async (): Promise<number> => {
    const before = looks.count;
    await sendFirst(host, roomId);
    return looks.count - before;
  };
  assert.deepEqual(
    [await looksOf(), await looksOf(), await looksOf()],
    [4, 3, 0],
    'all that are asked share their time',
  );
  await b.rooms.leave(bob, roomId, undefined);
  assert.equal(await looksWhile(everything), 2, 'what it has missed before it left');
});
