import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { createWriteSet } from '@portico/storage';
import { deactivateAccount } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { findFinalised } from '@portico/storage/stores/events/finalised-delayed-events.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { findRefusal } from '../../errors/from-storage.ts';
import type { Access } from '../reading/access.ts';
import type { RoomNames } from '../reading/room-names.ts';
import type { RoomService } from '../rooms/room-service.ts';
import { createDelayedEvents } from './delayed-events.ts';
import { createDueEvents } from './due-events.ts';
import { keptFor, keptPerUser } from './limits.ts';

const userId = '@alice:localhost';
const request = {
  userId,
  deviceId: 'D',
  roomId: '!r',
  type: 'x',
  stateKey: undefined,
  txnId: undefined,
  content: {},
  originServerTs: undefined,
  form: 'stable',
} as const;
const isGone = (error: unknown) => findRefusal(error)?.reason === 'delayed-event.not-found';

onBothEngines('who takes a delayed event back is told whether it was too late', async (db, context) => {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  await db.commit(set);
  const sent: string[] = [];
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const rooms = {
    checkSendable: () => Promise.resolve(),
    async send(_actor: unknown, _roomId: string, _type: string, txnId: string): Promise<string> {
      begun.resolve();
      await go.promise;
      sent.push(txnId);
      return '$sent';
    },
  } as unknown as RoomService;
  const access = { enter: () => Promise.resolve({ as: 'joined' }) } as unknown as Access;
  const now = () => 1000;
  const log = { warn: () => assert.fail('nothing is due') };
  const due = createDueEvents({ db, rooms, roomNames: {} as RoomNames, now, log });
  context.after(() => due.close());
  let ids = 0;
  const randomId = () => `id${++ids}`;
  const roomNames = {} as RoomNames;
  const secret = new Uint8Array(32);
  const events = createDelayedEvents({ db, access, rooms, roomNames, due, secret, now, randomId });

  // What was under way when the account ended is not sent later.
  const gone = '@gone:localhost';
  const ended = createWriteSet();
  addAccount(ended, { userId: gone, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  deactivateAccount(ended, gone, 0, false);
  await db.commit(ended);
  await assert.rejects(events.schedule({ ...request, userId: gone, delay: 60_000 }), { guard: 'user.deactivated' });

  const first = await events.schedule({ ...request, delay: 60_000 });
  const sending = events.act(first, 'send');
  await begun.promise;
  await assert.rejects(events.act(first, 'cancel'), isGone);
  await assert.rejects(events.act(first, 'restart'), isGone);
  go.resolve();
  await sending;
  assert.deepEqual(sent, [`delayed ${first}`]);
  await events.act(first, 'send');
  assert.equal(sent.length, 1);
  await assert.rejects(events.act(first, 'cancel'), isGone);

  const second = await events.schedule({ ...request, delay: 60_000 });
  const outcomes = await Promise.allSettled([events.act(second, 'cancel'), events.act(second, 'send')]);
  assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  assert.equal(sent.length, outcomes[0].status === 'fulfilled' ? 1 : 2);
  assert.deepEqual(await events.list(userId), []);

  const third = await events.schedule({ ...request, delay: 60_000 });
  await events.act(third, 'restart');
  await events.act(third, 'cancel');
  await events.act(third, 'cancel');
  await assert.rejects(events.act(third, 'restart'), isGone);
});

onBothEngines('what has become of delayed events is known for a week, of the newest ones', async (db, context) => {
  let at = 1000;
  const now = () => at;
  const rooms = { checkSendable: () => Promise.resolve() } as unknown as RoomService;
  const access = { enter: () => Promise.resolve({ as: 'joined' }) } as unknown as Access;
  const roomNames = {} as RoomNames;
  const log = { warn: () => assert.fail('nothing is due') };
  const start = () => {
    const due = createDueEvents({ db, rooms, roomNames, now, log });
    context.after(() => due.close());
    return due;
  };
  const due = start();
  let ids = 0;
  const randomId = () => `id${++ids}`;
  const secret = new Uint8Array(32);
  const events = createDelayedEvents({ db, access, rooms, roomNames, due, secret, now, randomId });
  const cancelOne = async () => {
    at += 1;
    const id = await events.schedule({ ...request, delay: 60_000 });
    await events.act(id, 'cancel');
    return id;
  };
  const kept: string[] = [];
  for (let n = 0; n < keptPerUser + 2; n++) kept.push(await cancelOne());
  const isKnown = async (id: string | undefined) => (await findFinalised(db, id ?? '')) !== undefined;
  assert.deepEqual([await isKnown(kept[0]), await isKnown(kept[1])], [false, false]);
  assert.deepEqual([await isKnown(kept[2]), await isKnown(kept.at(-1))], [true, true]);
  at += keptFor - 1;
  await due.close();
  const later = start();
  while (await isKnown(kept.at(-3))) await setImmediate();
  assert.deepEqual([await isKnown(kept.at(-2)), await isKnown(kept.at(-1))], [true, true]);
  await later.close();
});
