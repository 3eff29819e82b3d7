import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import {
  findRoomVersion,
  hashAndSignEvent,
  type JsonObject,
  parseServerName,
  type Pdu,
  type RoomVersionRules,
  signEvent,
  signingKeyFromSeed,
  type SigningKey,
} from '@portico/protocol';
import { openFor, temporarySqlite } from '@portico/testkit/both-engines.ts';
import { type FetchedKeys, createKnownKeys } from './known-keys.ts';
import { createServerKeys } from './server-keys.ts';
import { createVerifyEvents, type EventToVerify, type VerifyEvents } from './verify-events.ts';

const v4 = findRoomVersion('4') as RoomVersionRules;
const v11 = findRoomVersion('11') as RoomVersionRules;
const now = 1_700_000_000_000;
const day = 24 * 60 * 60_000;
const keyOf = (id: string): SigningKey => signingKeyFromSeed(`ed25519:${id}`, randomBytes(32));
const current = keyOf('current');
const old = keyOf('old');
const other = keyOf('other');

const published: Readonly<Record<string, FetchedKeys>> = {
  'a.org': {
    serverName: 'a.org',
    keys: [
      { keyId: 'ed25519:current', publicKey: current.publicKey, expiredTs: undefined },
      { keyId: 'ed25519:old', publicKey: old.publicKey, expiredTs: now - 10 * day },
    ],
    validUntilTs: now + day,
    answer: '{}',
    notary: undefined,
  },
  'far.org': {
    serverName: 'far.org',
    keys: [{ keyId: 'ed25519:other', publicKey: other.publicKey, expiredTs: undefined }],
    validUntilTs: now + 1000 * day,
    answer: '{}',
    notary: undefined,
  },
  'b.org': {
    serverName: 'b.org',
    keys: [{ keyId: 'ed25519:other', publicKey: other.publicKey, expiredTs: undefined }],
    validUntilTs: now + day,
    answer: '{}',
    notary: undefined,
  },
};

async function open(context: TestContext): Promise<{ verify: VerifyEvents; fetched: string[] }> {
  const fetched: string[] = [];
  const known = createKnownKeys(await openFor(context, temporarySqlite(context)), () => now);
  context.after(known.close);
  const serverName = parseServerName('us.org');
  assert.ok(serverName);
  const keys = createServerKeys({
    serverName,
    ownKeys: new Map(),
    known,
    source: {
      fetch: (name) => {
        fetched.push(name);
        return Promise.resolve(published[name]);
      },
      fetchFromNotary: () => Promise.resolve([]),
    },
    notaries: [],
    now: () => now,
  });
  return { verify: createVerifyEvents(keys, () => now), fetched };
}

function event(over: JsonObject = {}, key = current, rules = v11, server = 'a.org'): EventToVerify {
  const draft = {
    type: 'm.room.message',
    sender: '@x:a.org',
    room_id: '!r:a.org',
    content: { body: 'hello' },
    depth: 1,
    origin_server_ts: now,
    prev_events: [],
    auth_events: [],
    ...(rules === v4 && { event_id: '$x:a.org' }),
    ...over,
  };
  return { rules, pdu: hashAndSignEvent(rules, draft, server, key) as unknown as Pdu };
}

const verdictsOf = async (verify: VerifyEvents, events: readonly EventToVerify[]): Promise<readonly string[]> =>
  (await verify(events)).map((verdict) => (verdict.kind === 'ok' ? 'ok' : verdict.rule));

const joinBy = (authoriser: string): JsonObject => ({
  type: 'm.room.member',
  state_key: '@x:a.org',
  content: { membership: 'join', join_authorised_via_users_server: authoriser },
});

test('every event of a batch gets its own verdict', async (context) => {
  const { verify, fetched } = await open(context);
  const good = event();
  const countersigned = (authoriser: string): EventToVerify => {
    const { rules, pdu } = event(joinBy(authoriser));
    return { rules, pdu: signEvent(rules, pdu, 'b.org', other) as unknown as Pdu };
  };
  const early = event({ origin_server_ts: now - 11 * day });
  const alsoBy = (key: SigningKey): EventToVerify => {
    const { rules, pdu } = early;
    return { rules, pdu: signEvent(rules, pdu, 'a.org', key) as unknown as Pdu };
  };
  const ofFar = (days: number) => {
    const time = { sender: '@x:far.org', origin_server_ts: now + days * day };
    return event(time, other, v11, 'far.org');
  };
  const table: readonly [what: string, event: EventToVerify, verdict: string][] = [
    ['as it was signed', good, 'ok'],
    ['changed', { ...good, pdu: { ...good.pdu, depth: 2 } }, 'signatures.wrong'],
    ['signed by nobody', { ...good, pdu: { ...good.pdu, signatures: {} } }, 'signatures.missing'],
    ['signed by another server', event({}, other, v11, 'b.org'), 'signatures.missing'],
    ['by a key that nobody knows', event({}, keyOf('unknown')), 'signatures.no_key'],
    ['by a key that has the name of another one', event({}, keyOf('current')), 'signatures.wrong'],
    ['by a server that nobody knows', event({ sender: '@x:c.org' }, current, v11, 'c.org'), 'signatures.no_key'],
    ['by an old key, in its time', event({ origin_server_ts: now - 11 * day }, old), 'ok'],
    ['by an old key, after its time', event({ origin_server_ts: now - 9 * day }, old), 'signatures.no_key'],
    ['later than the key is valid', event({ origin_server_ts: now + 2 * day }), 'signatures.no_key'],
    ['the same in a room that does not mind', event({ origin_server_ts: now + 2 * day }, current, v4), 'ok'],
    ['by two keys that count then', alsoBy(old), 'ok'],
    ['by two keys, one of them wrongly', alsoBy(keyOf('old')), 'signatures.wrong'],
    ['by a good key, and by one that nobody knows', alsoBy(keyOf('unknown')), 'ok'],
    ['by a key that is said to be valid for years, in a week', ofFar(6), 'ok'],
    ['by that key, later', ofFar(8), 'signatures.no_key'],
    ['in the far future', event({ origin_server_ts: now + 1000 * day }), 'signatures.no_key'],
    ['authorised by another server', countersigned('@y:b.org'), 'ok'],
    ['authorised by one that has not signed', event(joinBy('@y:b.org')), 'signatures.missing'],
    ['authorised by nobody', event(joinBy('b.org')), 'signatures.authorising_user'],
  ];
  const verdicts = await verdictsOf(
    verify,
    table.map(([, event]) => event),
  );
  for (const [index, [what, , verdict]] of table.entries()) assert.equal(verdicts[index], verdict, what);
  assert.deepEqual(
    fetched.toSorted(),
    ['a.org', 'b.org', 'c.org', 'far.org'],
    'each server is asked once for all of them',
  );
});

test('the event loop goes on while many signatures are verified', async (context) => {
  const { verify } = await open(context);
  const events = Array.from({ length: 300 }, (_, index) => event({ content: { index } }));
  await verify(events.slice(0, 1));
  let turns = 0;
  let done = false;
  const count = (): void => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  assert.deepEqual(new Set(await verdictsOf(verify, events)), new Set(['ok']));
  done = true;
  assert.ok(turns > 5, `${turns} turns`);
});
