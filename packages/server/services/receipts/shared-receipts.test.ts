import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reader } from '@portico/storage';
import type { ReceiptRow } from '@portico/storage/stores/sync/sync-read.ts';
import { createSharedReceipts } from './shared-receipts.ts';

function row(nid: number, userId: string, type = 'm.read'): ReceiptRow {
  return { room_nid: nid, user_id: userId, receipt_type: type, thread_id: '', event_id: '$e', ts: 1 };
}

/** Answers every query with the rows of the rooms that it asks for, and notes which. */
function readerOf(rows: readonly ReceiptRow[]) {
  const asked: number[][] = [];
  let isBroken = false;
  const reader = {
    all: async (_statement: unknown, [nids]: readonly [string]) => {
      if (isBroken) throw new Error('the database is away');
      const wanted = JSON.parse(nids) as number[];
      asked.push(wanted);
      return rows.filter(({ room_nid: nid }) => wanted.includes(nid));
    },
  } as unknown as Reader;
  return { reader, asked, break: (broken: boolean) => (isBroken = broken) };
}

const range = { after: 1, upTo: 2 };

test('receipts of a room are read once for all who ask for the same, and what was not read yet by one query', async () => {
  const { reader, asked } = readerOf([row(1, '@a:x'), row(2, '@b:x')]);
  const shared = createSharedReceipts();
  const [first, second] = await Promise.all([shared.find(reader, [1], range), shared.find(reader, [1, 2, 3], range)]);
  assert.equal(first.get(1)?.contentFor('@c:x'), '{"$e":{"m.read":{"@a:x":{"ts":1}}}}');
  assert.deepEqual([...second.keys()], [1, 2]);
  await shared.find(reader, [1, 2, 3], range);
  assert.deepEqual(asked, [[1], [2, 3]]);
  await shared.find(reader, [1], { after: 1, upTo: 3 });
  assert.deepEqual(asked.at(-1), [1]);
});

test('a private receipt is in the text for its owner, and in no other', async () => {
  const { reader } = readerOf([row(1, '@a:x', 'm.read.private'), row(1, '@b:x')]);
  const shared = createSharedReceipts();
  const content = async (userId: string) => (await shared.find(reader, [1], range)).get(1)?.contentFor(userId);
  const forOthers = '{"$e":{"m.read":{"@b:x":{"ts":1}}}}';
  assert.equal(await content('@b:x'), forOthers);
  assert.equal(await content('@a:x'), '{"$e":{"m.read.private":{"@a:x":{"ts":1}},"m.read":{"@b:x":{"ts":1}}}}');
  assert.equal(await content('@c:x'), forOthers);
});

test('what is only private is nothing to others', async () => {
  const { reader } = readerOf([row(1, '@a:x', 'm.read.private')]);
  const found = await createSharedReceipts().find(reader, [1], range);
  assert.equal(found.get(1)?.contentFor('@b:x'), undefined);
});

test('a failed reading, long lists and the oldest of too many are not kept', async () => {
  const many = Array.from({ length: 51 }, (_, i) => row(4, `@${i}:x`));
  const database = readerOf([row(1, '@a:x'), row(2, '@a:x'), row(3, '@a:x'), ...many]);
  const { reader, asked } = database;
  const shared = createSharedReceipts({ maxEntries: 2 });
  database.break(true);
  await assert.rejects(shared.find(reader, [1], range), /away/);
  database.break(false);
  for (const nid of [1, 4, 4, 2, 3, 3, 1]) await shared.find(reader, [nid], range);
  assert.deepEqual(asked, [[1], [4], [4], [2], [3], [1]]);
});
