import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import type { InboundList } from '@portico/protocol/privacy/presence/inbound-list.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { openFor, temporarySqlite } from '@portico/testkit/index.ts';
import { createPeopleRooms } from '../people-rooms.ts';
import { presenceEdu } from './presence-edu.ts';

const sender = '@mallory:b';
const names = (count: number, prefix = 'n') => Array.from({ length: count }, (_, index) => `@${prefix}${index}:a`);

async function open(context: TestContext) {
  const db = await openFor(context, temporarySqlite(context));
  const set = createWriteSet();
  for (const userId of ['@alice:a', '@n7:a']) {
    addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  }
  await db.commit(set);
  const lookedUp: number[] = [];
  const reader = Object.create(db, {
    all: {
      value(statement: Parameters<Database['all']>[0], params: readonly never[]) {
        if (statement.name === 'presence.existing-accounts')
          lookedUp.push((JSON.parse(String(params[0])) as []).length);
        return db.all(statement, params);
      },
    },
  }) as Database;
  const taken: { readonly userId: string; readonly list: InboundList }[] = [];
  const rooms = createPeopleRooms(db);
  context.after(rooms.close);
  const handler = presenceEdu({
    reader,
    serverName: 'a',
    remote: { isKnown: () => true },
    take: (userId, _, list) => taken.push({ userId, list }),
    rooms,
    aware: { note: () => undefined },
    now: () => 0,
  });
  return {
    lookedUp,
    async receive(push: readonly JsonObject[]) {
      taken.length = 0;
      lookedUp.length = 0;
      const entries = push.map((each) => ({ user_id: sender, presence: 'online', ...each }));
      await handler.receive({ origin: 'b', content: { push: entries } });
      return taken;
    },
  };
}

test('ten thousand recipients are looked up a few hundred at a time, and only who is here is kept', async (context) => {
  const { receive, lookedUp } = await open(context);
  const taken = await receive([{ allowed_recipients: names(10_000) }]);
  assert.deepEqual(taken, [{ userId: sender, list: { kind: 'listed', users: new Set(['@n7:a']), globs: [] } }]);
  assert.equal(lookedUp.length, 20);
  assert.ok(lookedUp.every((count) => count <= 500));
});

test('an EDU has a number of names and of patterns that count, and a number of entries', async (context) => {
  const { receive, lookedUp } = await open(context);
  const many = Array.from({ length: 5 }, (_, index) => ({
    user_id: `@m${index}:b`,
    allowed_recipients: names(9000, `x${index}n`),
  }));
  assert.deepEqual(
    (await receive(many)).map(({ userId }) => userId),
    ['@m0:b', '@m1:b'],
  );
  assert.equal(
    lookedUp.reduce((sum, count) => sum + count, 0),
    18_000,
  );
  const patterns = Array.from({ length: 20 }, (_, index) => ({
    user_id: `@m${index}:b`,
    allowed_recipients: Array.from({ length: 256 }, (__, n) => `@*${n}*:a`),
  }));
  assert.equal((await receive(patterns)).length, 8);
  assert.equal((await receive(Array.from({ length: 1000 }, () => ({ allowed_recipients: ['@alice:a'] })))).length, 256);
});

test('who does not belong to the sender, and what is no list, is passed over', async (context) => {
  const { receive } = await open(context);
  for (const user_id of ['@alice:a', '@eve:c', 'mallory', 7, null]) assert.deepEqual(await receive([{ user_id }]), []);
  const nobody = { kind: 'listed', users: new Set(), globs: [] };
  for (const allowed_recipients of ['*', { a: 1 }, [1], ['@alice:a', null], names(10_001)] as JsonObject[string][]) {
    assert.deepEqual(
      (await receive([{ allowed_recipients }])).map(({ list }) => list),
      [nobody],
    );
  }
});
