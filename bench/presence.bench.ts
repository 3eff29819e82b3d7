import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '@portico/storage';
import { openPresenceServer, writeAccount, writeJoins, writeRoom } from '@portico/testkit/presence-server.ts';
import { createVirtualClock } from '@portico/testkit/virtual-clock.ts';
import type { Measurement } from './bench.ts';

const own = 'a.test';
const flips = 300;
const merged = 20;

/** One person who comes and goes, ten who watch, in rooms of different sizes; then 300 servers that are told. */
export async function measured(): Promise<readonly Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bench-'));
  const results: Measurement[] = [];
  for (const [what, locals, servers] of [
    ['room of 60', 60, 0],
    ['room of 5000', 5000, 0],
    ['room of 60 and 300 servers', 60, 300],
  ] as const) {
    const db = await openDatabase({ url: `sqlite:${join(folder, `${what}.db`)}`, durability: 'relaxed' });
    const clock = createVirtualClock();
    let pushes = 0;
    const onPut = () => (pushes += 1);
    const server = await openPresenceServer({
      serverName: own,
      db,
      clock,
      onPut,
      ghosts: '@none:.*',
      bridgeShown: new Map(),
    });
    const people = Array.from({ length: locals }, (_, index) => `@p${index}:${own}`);
    for (const person of people.slice(0, 11)) await writeAccount(db, person);
    const hosts = Array.from({ length: servers }, (_, index) => `s${index}.test`);
    await writeRoom(db, 1, `!r:${own}`);
    await writeJoins(db, own, 1, [...people, ...hosts.map((host) => `@x:${host}`)]);
    const [alice = '', ...rest] = people;
    const tokens = new Map<string, string>();
    for (const watcher of rest.slice(0, 10)) tokens.set(watcher, (await server.read(watcher, undefined)).next);
    let edus = 0;

    async function tell(): Promise<void> {
      clock.pass(1000);
      await server.settled();
      for (const [watcher, token] of tokens) {
        if (server.isPending(watcher, token)) tokens.set(watcher, (await server.read(watcher, token)).next);
      }
      for (const host of hosts) edus += server.take(host).length;
    }

    for (const [how, perTelling] of [
      ['', merged],
      ['told one by one', 1],
      [`${merged} told together`, merged],
    ] as const) {
      [pushes, edus] = [0, 0];
      const start = process.cpuUsage();
      for (let flip = 0; flip < flips; flip++) {
        const state = flip % 2 === 0 ? 'online' : 'unavailable';
        await server.presence.set({ userId: alice, deviceId: 'A' }, state, `${flip}`);
        if ((flip + 1) % perTelling === 0) await tell();
      }
      // What the process computes: others use the machine, too.
      const { user, system } = process.cpuUsage(start);
      const microseconds = (user + system) / flips;
      const traffic =
        servers === 0 ? '' : `; ${(pushes / flips).toFixed(1)} pushes in ${(edus / flips).toFixed(1)} EDUs each`;
      // The first round is to warm up.
      if (how !== '')
        results.push({ name: `a change of presence, ten watching, ${what}, ${how}${traffic}`, microseconds });
    }
    await server.stop();
    await db.close();
  }
  rmSync(folder, { recursive: true, force: true });
  return results;
}
