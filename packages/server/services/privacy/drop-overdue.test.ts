import assert from 'node:assert/strict';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { addUiaSession, findUiaSession } from '@portico/storage/stores/accounts/accounts-uia.ts';
import { eventStatus } from '@portico/storage/stores/events/event-row.ts';
import { addEventOutsideTimeline } from '@portico/storage/stores/events/events-write.ts';
import { redactEvent } from '@portico/storage/stores/events/redactions.ts';
import { readSoonestOverdue } from '@portico/storage/stores/privacy/overdue.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { unplacedEvent } from '../rooms/unplaced-event.ts';
import { createDropOverdue } from './drop-overdue.ts';

async function commit(db: Database, write: (set: WriteSet) => void): Promise<void> {
  const set = createWriteSet();
  write(set);
  await db.commit(set);
}

const unexpected = (error: unknown): void => assert.fail(String(error));
const session = (expiresAt: number) => ({
  operation: 'register',
  completed: '[]',
  registration_token: null,
  email_session: null,
  request: '{"username":"a","passwordHash":"h"}',
  expires_at: expiresAt,
});

onBothEngines('what is kept for a while goes when that is over, and nothing else', async (db, context) => {
  let at = 0;
  const overdue = createDropOverdue({ db, now: () => at, onFailure: unexpected, every: 2 ** 31 - 1 });
  context.after(() => overdue.close());
  await commit(db, (set) => {
    for (let each = 0; each < 1500; each++) addUiaSession(set, `s${each}`, session(10));
    addUiaSession(set, 'later', session(20));
  });
  await overdue.run();
  assert.equal(await readSoonestOverdue(db), 10);
  at = 10;
  await overdue.run();
  assert.equal(await findUiaSession(db, 's0'), undefined);
  assert.equal(await readSoonestOverdue(db), 20);
  assert.notEqual(await findUiaSession(db, 'later'), undefined);
  at = 20;
  await overdue.run();
  assert.equal(await readSoonestOverdue(db), undefined);
});

onBothEngines('what a redaction took away is not kept for ever', async (db, context) => {
  const overdue = createDropOverdue({ db, now: () => 8, onFailure: unexpected, every: 2 ** 31 - 1 });
  context.after(() => overdue.close());
  const pieces = { before: '{"content":', content: '{"body":"regretted"}', after: '}' };
  const event = {
    eventId: '$a',
    roomId: '!r:x',
    type: 'm.room.message',
    sender: '@a:x',
    stateKey: undefined,
    content: {},
    originServerTs: 1,
    depth: 1,
    prevEvents: [],
    authEvents: [],
    redacts: undefined,
    rejected: false,
  };
  await commit(db, (set) => {
    addEventOutsideTimeline(
      set,
      unplacedEvent({ eventNid: 1, roomNid: 1, status: eventStatus.softFailed }, event, pieces),
    );
  });
  await commit(db, (set) => {
    redactEvent(set, 1, { redactionNid: 2, deleteOriginalAfter: 8 }, { ...pieces, content: '{}' });
  });
  assert.equal(await readSoonestOverdue(db), 8);
  await overdue.run();
  assert.equal(await readSoonestOverdue(db), undefined);
});
