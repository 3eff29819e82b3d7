import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestPostgres } from '@portico/testkit';
import { startTestServer } from '@portico/testkit/server.ts';
import { until } from '@portico/testkit/until.ts';
import { checkAnswers, checkStored } from './checks.ts';
import { Unanswered } from './person.ts';
import { createRandom } from './random.ts';
import { acknowledgedBy, furnish, inDatabase } from './scenario.ts';

test(
  'PostgreSQL goes away under load and comes back: clear 503s, nothing lost',
  { timeout: 60_000 },
  async (context) => {
    const postgres = await startTestPostgres();
    context.after(() => postgres.stop());
    const server = await startTestServer({ databaseUrl: postgres.url, settings: { DURABILITY: 'full' } });
    context.after(() => server.close());
    const persons = await furnish(server.baseUrl);
    const others = persons.map(({ http }) => http.userId);
    const load = { isOver: false };
    let refused = 0;
    const untilStopped = async (use: () => Promise<void>) => {
      while (!load.isOver) {
        try {
          await use();
        } catch (error) {
          if (!(error instanceof Unanswered)) throw error;
          assert.equal(error.message, 'unavailable', 'the server itself never goes away');
          refused++;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    };
    const using = persons.flatMap((person, index) => {
      const random = createRandom(index);
      return [
        untilStopped(async () => {
          await person.resume();
          while (!load.isOver) await person.act(random, others);
        }),
        untilStopped(() => person.sync()),
      ];
    });
    const failure = Promise.all(using);

    const halted = async () => {
      for (const how of ['kill', 'fast'] as const) {
        const before = acknowledgedBy(persons);
        await until(() => acknowledgedBy(persons) > before + 60, 'there is a load');
        await postgres.halt(how);
        refused = 0;
        await until(() => refused > 5, 'writes are refused');
        const { status } = await server.anonymous.get('/_matrix/client/versions');
        assert.equal(status, 200, 'what needs no database is answered');
        const sync = await persons[0]?.http.get('/_matrix/client/v3/sync');
        assert.deepEqual([sync?.status, sync?.body['errcode']], [503, 'M_UNKNOWN']);
        await postgres.resume();
        const after = acknowledgedBy(persons);
        await until(() => acknowledgedBy(persons) > after + 60, 'writes go on');
      }
      load.isOver = true;
    };
    await Promise.race([halted(), failure]);
    await failure;

    for (const person of persons) await person.resume();
    for (const person of persons) await person.sync();
    const counts = await checkAnswers(persons);
    await server.stop();
    await inDatabase(postgres.url, (db) => checkStored(db, persons, counts));
  },
);
