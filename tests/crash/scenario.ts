import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failpointFromSeed, openDatabase } from '@portico/storage';
import { createTestDatabase } from '@portico/testkit';
import { checkRooms } from '@portico/testkit/check-rooms.ts';
import { freePort, type ServerProcess, startServerProcess, tryServerProcess } from '@portico/testkit/server-process.ts';
import { createTestClient } from '@portico/testkit/test-client.ts';
import { checkAnswers, checkStored } from './checks.ts';
import { createPerson, type Person, Unanswered } from './person.ts';
import { createRandom, type Random } from './random.ts';

export type Scenario = {
  readonly engine: 'sqlite' | 'postgres';
  readonly seed: number;
  readonly rounds: number;
  /** How many times a failpoint may be passed before the one that kills. */
  readonly within?: number;
  readonly say?: (line: string) => void;
};

export type Summary = { readonly kills: readonly string[]; readonly acknowledged: number };

const people = 6;
/** In milliseconds. */
const longestRound = 30_000;
const client = '/_matrix/client/v3';

/** Where a round ends: at a failpoint, or, at `any moment`, after so many things were done. */
type End = { readonly failpoint: string | undefined; readonly after: number; readonly pause: boolean };

function endOf({ engine, seed, within = 150 }: Scenario, round: number, random: Random): End {
  const { name, hit } = failpointFromSeed(seed * 1000 + round, within);
  const isCheckpoint = name === 'during-checkpoint';
  if (random.below(8) === 0 || (isCheckpoint && engine === 'postgres')) {
    return { failpoint: undefined, after: 20 + random.below(200), pause: false };
  }
  return { failpoint: `${name}:${hit}`, after: Infinity, pause: isCheckpoint };
}

/**
 * Has people use a server that is killed again and again, at failpoints that the seed chooses, and started again on what it
 * left. In the end nothing that it acknowledged may be missing, twice, or at odds with anything else.
 */
export async function runScenario(scenario: Scenario): Promise<Summary> {
  const { engine, seed, rounds, say = () => undefined } = scenario;
  const random = createRandom(seed);
  const dataDir = mkdtempSync(join(tmpdir(), 'portico-crash-'));
  const databaseUrl = engine === 'sqlite' ? `sqlite:${join(dataDir, 'portico.db')}` : await createTestDatabase();
  const port = await freePort();
  const start = () => startServerProcess({ dataDir, databaseUrl, port });
  let running: ServerProcess | undefined;
  const kills: string[] = [];
  try {
    running = await start();
    const persons = await furnish(running.baseUrl);
    running.signal('SIGTERM');
    assert.equal(await running.ended, 0);

    for (let round = 0; round < rounds; round++) {
      const end = endOf(scenario, round, random);
      const settings = end.failpoint === undefined ? {} : { TEST_FAILPOINT: end.failpoint };
      const started = await tryServerProcess({ dataDir, databaseUrl, port, settings });
      if (typeof started !== 'string') {
        running = started;
        await useUntilEnd(running, persons, end, random);
        assert.equal(await running.ended, 'SIGKILL', running.output());
        assert.doesNotMatch(running.output(), /"level":(?:50|60)/, 'no defect was logged');
      }
      kills.push(end.failpoint ?? 'any moment');
      say(
        `${engine}, seed ${seed}, round ${round}: killed at ${kills.at(-1)}, ${acknowledgedBy(persons)} acknowledged`,
      );
      if (round % 2 === 1) await inDatabase(databaseUrl, checkRooms);
    }

    running = await start();
    for (const person of persons) await person.resume();
    for (const person of persons) await person.sync();
    const counts = await checkAnswers(persons);
    running.signal('SIGTERM');
    assert.equal(await running.ended, 0, running.output());
    await inDatabase(databaseUrl, (db) => checkStored(db, persons, counts));
    return { kills, acknowledged: acknowledgedBy(persons) };
  } finally {
    running?.signal('SIGKILL');
    await running?.ended;
    rmSync(dataDir, { recursive: true, force: true });
  }
}

export async function inDatabase<T>(url: string, use: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>) {
  const db = await openDatabase({ url });
  try {
    return await use(db);
  } finally {
    await db.close();
  }
}

export const acknowledgedBy = (persons: readonly Person[]): number =>
  persons.reduce((sum, { sent, made }) => sum + sent.filter(({ eventId }) => eventId).length + made.length, 0);

/** Accounts, two rooms that everybody is in for good, and one where they come and go. */
export async function furnish(baseUrl: string): Promise<readonly Person[]> {
  const anonymous = createTestClient(baseUrl);
  const users = [];
  for (let index = 0; index < people; index++) {
    const body = { username: `p${index}`, password: 'a password', auth: { type: 'm.login.dummy' } };
    const answer = (await anonymous.post(`${client}/register`, body)).body as Record<string, string>;
    const { user_id: userId = '', access_token: accessToken = '', device_id: deviceId = '' } = answer;
    users.push({ userId, accessToken, deviceId });
  }
  const clients = users.map((user) => createTestClient(baseUrl, user));
  const roomIds: string[] = [];
  for (let index = 0; index < 3; index++) {
    const { body } = await clients[0]!.post(`${client}/createRoom`, { preset: 'public_chat' });
    const roomId = String(body['room_id']);
    for (const http of clients.slice(1)) await http.post(`${client}/join/${encodeURIComponent(roomId)}`, {});
    roomIds.push(roomId);
  }
  const [busy = '', ...quiet] = roomIds;
  return users.map((user) => createPerson(user, baseUrl, { busy, quiet }));
}

/** Everybody does things and looks at what the others do, at once, until the server is gone. */
async function useUntilEnd(server: ServerProcess, persons: readonly Person[], end: End, random: Random): Promise<void> {
  const others = persons.map(({ http }) => http.userId);
  let acts = 0;
  const state = { gone: false };
  void server.ended.then(() => (state.gone = true));

  const untilGone = async (use: () => Promise<void>): Promise<void> => {
    while (!state.gone) {
      try {
        await use();
      } catch (error) {
        if (!(error instanceof Unanswered)) throw error;
        // Either the process is ending, or what it has to write to is.
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  };

  const acting = persons.map(async (person, index) => {
    // Each has a seed of their own, so that what one does depends little on how quickly the others are answered.
    const own = createRandom(random.below(1_000_000) + index);
    await untilGone(async () => {
      await person.resume();
      for (;;) {
        await person.act(own, others);
        if (++acts === end.after) server.signal('SIGKILL');
        // A quiet moment is when a checkpoint comes.
        if (end.pause && acts > 300) await Promise.race([server.ended, quietMoment()]);
      }
    });
  });
  const syncing = persons.map((person) =>
    untilGone(async () => {
      await person.sync();
      if (end.pause && acts > 300) await Promise.race([server.ended, quietMoment()]);
    }),
  );
  // Whatever the failpoint waits for may be long in coming.
  const overdue = setTimeout(() => server.signal('SIGKILL'), longestRound);
  try {
    await Promise.all([...acting, ...syncing]);
  } finally {
    clearTimeout(overdue);
    server.signal('SIGKILL');
    state.gone = true;
  }
}

const quietMoment = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 700));
