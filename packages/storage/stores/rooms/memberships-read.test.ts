import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit';
import { createWriteSet } from '../../write-set.ts';
import { readMemberEvents } from './memberships-read.ts';
import { setMembership } from './memberships-write.ts';

onBothEngines('all members of a room are read, however many came at once', async (db) => {
  const others = { roomNid: 7, membership: 'join', previous: 'leave', host: 'other', isLocal: false };
  let eventNid = 0;
  // As many at one place as a join of this server brings.
  for (const people of [['a', 'b', 'c', 'd', 'e'], ['f'], ['g', 'h', 'i']]) {
    const set = createWriteSet();
    const position = set.takePosition();
    for (const name of people) {
      setMembership(set, { ...others, userId: `@${name}:other`, eventNid: ++eventNid }, position);
    }
    await db.commit(set);
  }
  const pages: (readonly number[])[] = [];
  for await (const page of readMemberEvents(db, 7, 'join', 2)) pages.push(page);
  assert.deepEqual(pages, [[1, 2], [3, 4], [5, 6], [7, 8], [9]]);
});
