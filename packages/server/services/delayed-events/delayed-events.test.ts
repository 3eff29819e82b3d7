import assert from 'node:assert/strict';
import { createWriteSet } from '@portico/storage';
import { addAccount } from '@portico/storage/stores/accounts-write.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { findRefusal } from '../../errors/from-storage.ts';
import type { Access } from '../reading/access.ts';
import type { RoomNames } from '../reading/room-names.ts';
import type { RoomService } from '../rooms/room-service.ts';
import { createDelayedEvents } from './delayed-events.ts';
import { createDueEvents } from './due-events.ts';

const userId = '@alice:localhost';
const request = { userId, deviceId: 'D', roomId: '!r', type: 'x', stateKey: undefined, txnId: undefined, content: {} };
const isGone = (error: unknown) => findRefusal(error)?.reason === 'delayed-event.not-found';

onBothEngines('who takes a delayed event back is told whether it was too late', async (db, context) => {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash: undefined, isAdmin: false, userType: undefined, createdAt: 0 });
  await db.commit(set);
  const sent: string[] = [];
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const rooms = {
    checkSendable: () => Promise.resolve(),
    async send(_actor: unknown, _roomId: string, _type: string, txnId: string): Promise<void> {
      begun.resolve();
      await go.promise;
      sent.push(txnId);
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

  const first = await events.schedule({ ...request, delay: 60_000 });
  const sending = events.send(first);
  await begun.promise;
  await assert.rejects(events.cancel(first), isGone);
  await assert.rejects(events.restart(first), isGone);
  go.resolve();
  await sending;
  assert.deepEqual(sent, [`delayed ${first}`]);
  await assert.rejects(events.send(first), isGone);

  const second = await events.schedule({ ...request, delay: 60_000 });
  const outcomes = await Promise.allSettled([events.cancel(second), events.send(second), events.cancel(second)]);
  const cancelled = outcomes.filter(({ status }, index) => index !== 1 && status === 'fulfilled').length;
  assert.equal(cancelled + sent.length, 2);
  assert.deepEqual(await events.list(userId), []);

  const third = await events.schedule({ ...request, delay: 60_000 });
  await events.restart(third);
  await events.cancel(third);
  await assert.rejects(events.cancel(third), isGone);
});
