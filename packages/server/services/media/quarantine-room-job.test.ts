import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Database } from '@portico/storage';
import { isQuarantined } from '@portico/storage/stores/media/quarantined-media.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { openTestRooms } from '@portico/testkit/rooms.ts';
import { until } from '@portico/testkit/until.ts';
import { createAccountJobs } from '../accounts/account-jobs.ts';
import { createQuarantineRoomJob } from './quarantine-room-job.ts';
import { createRoomQuarantines } from './room-quarantines.ts';

const admin = '@admin:localhost';
const actor = { userId: '@alice:localhost', deviceId: 'D' };
const files = Array.from({ length: 60 }, (_, index) => `file${index}`);

/** A room with an event for each file, the oldest first. */
async function fillRoom(db: Database) {
  const { rooms } = await openTestRooms(db);
  const roomId = await rooms.create(actor, { preset: 'public_chat' });
  for (const file of files) {
    const content = { msgtype: 'm.image', body: file, url: `mxc://localhost/${file}` };
    await rooms.send(actor, roomId, 'm.room.message', file, content);
  }
  return { rooms, roomId };
}

onBothEngines('a room is gone through to its beginning, in turns and across restarts', async (db) => {
  const { rooms, roomId } = await fillRoom(db);
  const clock = { at: Date.now() };
  const now = () => clock.at;
  const quarantined = async () => {
    const are = await Promise.all(files.map((mediaId) => isQuarantined(db, { origin: 'localhost', mediaId })));
    return are.filter(Boolean).length;
  };
  const quarantines = createRoomQuarantines({ db, now, perPage: 7, mostAtOnce: 20 });
  const begun = await quarantines.begin(admin, roomId);
  assert.deepEqual([begun.examined, begun.added, begun.isDone], [21, 21, false]);
  assert.equal(await quarantined(), 21);
  assert.ok(await isQuarantined(db, { origin: 'localhost', mediaId: 'file59' }), 'the newest first');
  assert.deepEqual(await quarantines.begin(admin, roomId), begun, 'it is not begun once more');

  let pages = 0;
  const start = (onPage: () => void = () => undefined) =>
    createAccountJobs({
      db,
      writer: rooms.writer,
      kinds: {
        'quarantine-room': createQuarantineRoomJob({
          db,
          perPage: 7,
          now() {
            // Whoever has quarantined something has had a whole turn.
            clock.at += 10_000;
            pages += 1;
            onPage();
            return clock.at;
          },
        }),
      },
      now,
      newClaim: () => randomUUID(),
      log: { warn: (details: object, message: string) => assert.fail(`${message} ${JSON.stringify(details)}`) },
    });
  let closed: Promise<void> | undefined;
  const first = start(() => {
    closed ??= first.close();
  });
  await until(() => closed !== undefined, 'the server ends while the job is at work');
  await closed;
  const { examined } = await quarantines.find(admin, roomId);
  assert.ok(examined > 21 && examined < files.length, `${examined}, which is some of it`);
  assert.equal(await quarantined(), examined);

  const before = pages;
  const second = start();
  await until(async () => (await quarantines.find(admin, roomId)).isDone, 'it is done');
  assert.equal(await quarantined(), files.length);
  assert.ok(pages - before <= Math.ceil((files.length - examined) / 7), 'nothing was done twice');
  assert.equal((await quarantines.find(admin, roomId)).added, files.length);
  await assert.rejects(quarantines.find('@other:localhost', roomId), { reason: 'not-found' });
  clock.at += 25 * 60 * 60_000;
  await second.close();
  const third = start();
  await until(
    () =>
      quarantines.find(admin, roomId).then(
        () => false,
        () => true,
      ),
    'it is forgotten a day later',
  );
  await third.close();
});
