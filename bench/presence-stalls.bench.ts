import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { JsonObject } from '@portico/protocol';
import { createWriteSet, openDatabase } from '@portico/storage';
import { setAccountData } from '@portico/storage/stores/accounts/accounts-data.ts';
import {
  openPresenceServer,
  type PresenceServer,
  writeAccount,
  writeJoins,
  writeRoom,
} from '@portico/testkit/presence-server.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import type { Measurement } from './bench.ts';

const own = 'a.test';
const other = 'b.test';
const locals = Array.from({ length: 300 }, (_, index) => `@p${index}:${own}`);
const remotes = Array.from({ length: 2000 }, (_, index) => `@r${index}:s${index % 50}.test`);
const sender = `@mallory:${other}`;
const bytes = 1_040_000;
const rounds = 4;

/** As many entries as account data admits. */
function fill(entry: (index: number) => string): string[] {
  const entries: string[] = [];
  for (let size = 0, index = 0; size < bytes; index++) {
    const next = entry(index);
    size += next.length + 3;
    entries.push(next);
  }
  return entries;
}

/** Nothing in it tells anybody whom it does not match. */
function vague(index: number): string {
  const bits = index.toString(2).padStart(16, '0');
  return `@*${bits.replaceAll('0', 'p*').replaceAll('1', 'p?')}z*`;
}
const slow = (index: number) => `@${'*a'.repeat(100)}${index.toString(36).padStart(5, 'b')}*:${own}`;
const configurations: readonly (readonly [string, JsonObject])[] = [
  ['patterns that end as most people do', { denied_users: fill((i) => `@*${'p*'.repeat(60)}${i.toString(36)}*t`) }],
  ['patterns of many stars', { denied_users: fill(slow) }],
  ['patterns of question marks', { denied_users: fill((i) => `@*${'?'.repeat(100)}${i.toString(36)}:${own}`) }],
  ['short patterns', { denied_users: fill((i) => `@*x${i.toString(36)}`) }],
  ['short patterns of people who may see', { allowed_users: fill((i) => `@*x${i.toString(36)}`) }],
  ['patterns that could match anybody', { denied_users: fill(vague) }],
  ['patterns of servers', { allowed_users: fill((i) => `@*:s${i.toString(36)}.test`) }],
  ['people here', { denied_users: fill((i) => `@x${i.toString(36)}:${own}`) }],
  ['people of many servers', { allowed_users: fill((i) => `@x:h${i.toString(36)}.test`) }],
  ['people of one server', { allowed_users: fill((i) => `@x${i.toString(36)}:s1.test`) }],
  ['rooms', { denied_users: fill((i) => `!x${i.toString(36)}:${own}`) }],
  ['one long entry', { denied_users: [`@${'*'.repeat(bytes)}`] }],
  ['entries of a character', { denied_users: fill(() => '*') }],
];

const push = (over: JsonObject): JsonObject => ({ user_id: sender, presence: 'online', ...over });
const names = (count: number, of: readonly string[]): string[] =>
  Array.from({ length: count }, (_, index) => of[index] ?? `@nobody${index}:${own}`);
const pushes: readonly (readonly [string, JsonObject])[] = [
  ['10,000 recipients, of whom 300 are here', { push: [push({ allowed_recipients: names(10_000, locals) })] }],
  [
    '20 people, each with 10,000 recipients of their own',
    {
      push: Array.from({ length: 20 }, (_, index) =>
        push({
          user_id: `@m${index}:${other}`,
          allowed_recipients: Array.from({ length: 10_000 }, (__, n) => `@n${index}x${n}:${own}`),
        }),
      ),
    },
  ],
  [
    '256 entries for one person that contradict each other, for 256 recipients each',
    {
      push: Array.from({ length: 256 }, (_, index) =>
        push({
          presence: index % 2 === 0 ? 'online' : 'unavailable',
          status_msg: `${index}`,
          allowed_recipients: locals.slice(index % 44, (index % 44) + 256),
        }),
      ),
    },
  ],
  [
    '256 people with 256 patterns of many stars each',
    {
      push: Array.from({ length: 256 }, (_, index) =>
        push({
          user_id: `@m${index}:${other}`,
          allowed_recipients: Array.from({ length: 256 }, (__, n) => `@*${'p*'.repeat(20)}${n}*:${own}`),
        }),
      ),
    },
  ],
  [
    '10,000 forged people',
    { push: Array.from({ length: 10_000 }, (_, index) => push({ user_id: `@f${index}:c.test` })) },
  ],
];

/** The longest time that the event loop was kept by one turn: what the thread computed, whatever else the machine does. */
async function longestTurn(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let before = process.threadCpuUsage();
  const probe = () => {
    const { user, system } = process.threadCpuUsage(before);
    longest = Math.max(longest, user + system);
    before = process.threadCpuUsage();
    if (!isOver) setImmediate(probe);
  };
  setImmediate(probe);
  await work();
  isOver = true;
  await new Promise((resolve) => setImmediate(resolve));
  return longest;
}

/** What the worst input does to everybody else: the longest turn of the event loop, not the time until it is done. */
export async function measured(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-stalls-'));
  const db = await openDatabase({ url: `sqlite:${join(folder, 'a.db')}`, durability: 'relaxed' });
  const clock = createVirtualClock();
  const server = await openPresenceServer({
    serverName: own,
    db,
    clock,
    onPut: () => undefined,
    ghosts: '@none:.*',
    bridgeShown: new Map(),
  });
  for (const person of locals) await writeAccount(db, person);
  await writeRoom(db, 1, `!r:${own}`);
  const more = Array.from({ length: 256 }, (_, index) => `@m${index}:${other}`);
  await writeJoins(db, own, 1, [...locals, ...remotes, sender, ...more]);
  const results: Measurement[] = [];
  const [alice = '', ...watchers] = locals;
  for (const watcher of watchers.slice(0, 50)) await server.read(watcher, undefined);
  await tell(server, clock.pass);

  async function round(name: string, work: () => Promise<void>): Promise<void> {
    const turns: number[] = [];
    for (let run = 0; run < rounds; run++) {
      turns.push(
        await longestTurn(async () => {
          await work();
          await tell(server, clock.pass);
          for (const watcher of watchers.slice(0, 10)) {
            await nextTurn();
            await server.read(watcher, undefined);
          }
        }),
      );
    }
    results.push({ name: `longest turn: ${name}`, microseconds: Math.min(...turns) });
    if (process.env['VERBOSE']) console.log(name, turns, Math.round(performance.now()));
  }

  for (const [name, content] of pushes) await round(`an EDU with ${name}`, () => server.receiveParsed(other, content));
  for (const [name, content] of configurations) {
    const text = JSON.stringify(content);
    let flips = 0;
    await round(`the largest configuration, of ${name}`, async () => {
      const set = createWriteSet();
      setAccountData(set, { userId: alice, roomId: '', type: 'm.presence_sharing_config', content: text });
      await db.commit(set);
      await server.presence.set({ userId: alice, deviceId: 'A' }, 'online', `${++flips}`);
    });
  }
  await server.stop();
  await db.close();
  rmSync(folder, { recursive: true, force: true });
  return results;
}

async function tell(server: PresenceServer, pass: (milliseconds: number) => void): Promise<void> {
  for (let step = 0; step < 12; step++) {
    await nextTurn();
    pass(1000);
    await server.settled();
  }
}
