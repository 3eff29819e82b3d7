import assert from 'node:assert/strict';
import { join as joinPath } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { contentOf, pathOf, say, sees } from '@portico/testkit/people.ts';
import { until } from '@portico/testkit/until.ts';
import { meet } from './people.ts';

test('a redaction that could not be applied when it came is applied at the next start', async (context) => {
  const { network, alice, bob, roomId } = await meet(context);
  const eventId = await say(alice, roomId, 'a secret');
  await sees(bob, roomId, eventId);
  const file = joinPath(network.server('hs2').dataDir, 'portico.db');
  function inDatabase<T>(work: (database: DatabaseSync) => T): T {
    const database = new DatabaseSync(file);
    try {
      return work(database);
    } finally {
      database.close();
    }
  }
  // Between the redaction's commit and that of what it redacts, as if the process ended there.
  inDatabase((database) =>
    database.exec(`create trigger hold before update of redacted_by on events begin select raise(abort, 'held'); end`),
  );
  const redaction = await alice.put(pathOf(roomId, `redact/${encodeURIComponent(eventId)}/1`), {});
  await sees(bob, roomId, String(redaction.body['event_id']));
  assert.deepEqual(await contentOf(bob, roomId, eventId), { msgtype: 'm.text', body: 'a secret' });
  await network.stop('hs2');
  const pending = () => inDatabase((database) => database.prepare('select event_id from pending_redactions').all());
  assert.deepEqual(
    pending().map((row) => row['event_id']),
    [eventId],
  );
  inDatabase((database) => database.exec('drop trigger hold'));

  await network.start('hs2');
  const again = network.server('hs2').as(bob);
  await until(
    async () => (JSON.stringify(await contentOf(again, roomId, eventId)) === '{}' ? true : undefined),
    'it is redacted',
  );
  await network.stop('hs2');
  assert.deepEqual(pending(), []);
  await network.start('hs2');
});
