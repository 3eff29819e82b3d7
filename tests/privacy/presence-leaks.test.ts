import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openDatabase } from '@portico/storage';
import { createDice } from '@portico/testkit/dice.ts';
import type { Shown } from '@portico/testkit/presence-server.ts';
import {
  bot,
  createWorld,
  openServers,
  serverNames,
  serverOf,
  type Settings,
  sharingTypes,
  type World,
} from './presence-world.ts';

/*
 * Random worlds of people on three servers, and after everything that happens in them: is everybody who may see somebody's
 * presence shown it, and nobody else, at whichever exit? PRESENCE_SEED and PRESENCE_WORLDS choose other and more worlds.
 */
const seed = Number(process.env.PRESENCE_SEED ?? 1);
const count = Number(process.env.PRESENCE_WORLDS ?? 12);
/** Worlds in which something went wrong once: seed and number. */
const regressions = [
  [31, 102],
  [2001, 139],
  [2003, 13],
  [2004, 7],
] as const;
const actionsPerWorld = 30;
const worldsPerDatabase = 20;

const matches = (entries: readonly string[], userId: string): boolean =>
  entries.some((entry) => {
    const expression = entry
      .replaceAll(/[.+^$(){}|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return !entry.startsWith('!') && new RegExp(`^${expression}$`).test(userId);
  });

/** The rules, read literally. `shared`: the rooms to which both are joined. */
function mayReceive(person: string, { allowed, denied, ignored, malformed }: Settings, who: string, shared: string[]) {
  if (who === person) return true;
  if (malformed) return false;
  // Over federation, patterns reach those who share a room: nobody else can be meant there.
  const isReached = serverOf(who) === serverOf(person) || shared.length > 0 || allowed.includes(who);
  if (matches(allowed, who) && isReached) return true;
  if (ignored.includes(who) || matches(denied, who)) return false;
  if (shared.some((room) => allowed.includes(room))) return true;
  return shared.some((room) => !denied.includes(room));
}

function sharedRooms(world: World, one: string, other: string): string[] {
  return world.rooms.filter((room) => world.isJoined(room, one) && world.isJoined(room, other)).map(({ id }) => id);
}
const isPermitted = (world: World, person: string, who: string): boolean =>
  mayReceive(person, world.settingsOf(person), who, sharedRooms(world, person, who));

/** Whether somebody is shown what is so. Who is offline may be shown with any status that they were shown before. */
function isAsItIs(shown: Shown | undefined, truth: Shown, permitted: boolean): boolean {
  const state = shown?.presence ?? 'offline';
  if (!permitted || truth.presence === 'offline') return state === 'offline';
  return state === truth.presence && shown?.status_msg === truth.status_msg;
}

async function check(world: World, dice: Dice, awake: (index: number) => boolean): Promise<void> {
  const truths = new Map<string, Shown>();
  for (const person of world.people) truths.set(person, await world.truth(person));
  for (const [index, device] of world.devices.entries()) {
    const who = device.userId;
    if (!awake(index)) continue;
    for (const [person, content] of await world.poll(device)) {
      if (!world.people.includes(person) || isPermitted(world, person, who)) continue;
      // Of other servers' people they may come to know late what was for them when it was said.
      const isOwn = serverOf(who) === serverOf(person);
      const last = isOwn ? { ...content } : { presence: content.presence };
      assert.deepEqual(last, { presence: 'offline' }, `${who} is told of ${person}, whom they may not see`);
    }
    for (const person of world.people) {
      const permitted = isPermitted(world, person, who);
      const truth = truths.get(person) as Shown;
      const shown = world.views.get(device)?.get(person);
      const isForgotten =
        world.forgotten.has(`${serverOf(who)} ${person}`) && (shown?.presence ?? 'offline') === 'offline';
      const what = `${who} ${permitted ? 'may' : 'may not'} see ${person}, who is ${JSON.stringify(truth)}`;
      if (!isForgotten) assert.ok(isAsItIs(shown, truth, permitted), `${what}, and is shown ${JSON.stringify(shown)}`);
      if (dice(4) === 0) await checkPage(world, who, person, permitted, truth);
    }
  }
  await checkBridge(world, truths);
}

/** `GET /presence/{userId}/status` */
async function checkPage(world: World, who: string, person: string, permitted: boolean, truth: Shown): Promise<void> {
  const page = (await world
    .hostOf(who)
    .server.presence.get(who, person)
    .catch(() => undefined)) as Shown | undefined;
  const isOwn = serverOf(who) === serverOf(person);
  const what = `${who} asks for ${person}, who is ${JSON.stringify(truth)}, and gets ${JSON.stringify(page)}`;
  if (permitted) {
    if (world.forgotten.has(`${serverOf(who)} ${person}`)) return;
    // What other servers never said of somebody who is offline cannot be told from what they hide.
    if (isOwn || truth.presence !== 'offline') assert.ok(page !== undefined && isAsItIs(page, truth, true), what);
  } else if (isOwn) assert.equal(page, undefined, what);
  else assert.ok(page === undefined || page.presence === 'offline', what);
}

async function checkBridge(world: World, truths: ReadonlyMap<string, Shown>): Promise<void> {
  const [ghost] = world.people.filter((person) => person.startsWith('@g'));
  assert.ok(ghost);
  const { server } = world.hostOf(bot);
  await server.tellBridge();
  for (const person of world.people) {
    const permitted: boolean = isPermitted(world, person, ghost) || isPermitted(world, person, bot);
    const truth = truths.get(person) as Shown;
    const shown: Shown | undefined = server.bridgeShown.get(person);
    if (world.forgotten.has(`a.test ${person}`) && (shown?.presence ?? 'offline') === 'offline') continue;
    const what: string = `the bridge ${permitted ? 'may' : 'may not'} see ${person}, who is ${JSON.stringify(truth)}`;
    assert.ok(isAsItIs(shown, truth, permitted), `${what}, and is shown ${JSON.stringify(shown)}`);
  }
}

/** What leaves for another server must be meant for nobody there who may not have it. */
function checkPush(world: World, host: string, push: JsonObject): void {
  const person = push['user_id'] as string;
  if (push['presence'] === 'offline' || !world.people.includes(person)) return;
  const recipients = push['allowed_recipients'] as string[] | undefined;
  assert.notDeepEqual(recipients, [], 'an empty list would be for everyone');
  for (const who of world.people) {
    if (serverOf(who) !== host) continue;
    const shares = sharedRooms(world, person, who).length > 0;
    const isMeant =
      recipients === undefined ? shares : recipients.includes(who) || (shares && matches(recipients, who));
    const what = `${JSON.stringify(push)} goes to ${host}`;
    if (isMeant) assert.ok(isPermitted(world, person, who), `${what}, where ${who} may not have it`);
  }
}

type Dice = (limit: number) => number;
type Pass = (milliseconds: number) => void;

function randomLists(world: World, dice: Dice): unknown {
  const number = /\d+/.exec(world.people[0] ?? '')?.[0] ?? '';
  const globs = [
    '*',
    '@p*:*',
    '@*:b.test',
    `@?${number}:*`,
    '@q*:c.test',
    `@*${number}:a.test`,
    '@g*',
    `*${number}:b.*`,
  ];
  const pool = [
    ...world.people,
    ...world.people,
    ...world.rooms.map(({ id }) => id),
    ...globs,
    bot,
    1,
    null,
    '!*',
    '@x',
  ];
  const list = (): unknown =>
    dice(40) === 0 ? [null, 'x', {}][dice(3)] : Array.from({ length: dice(4) }, () => pool[dice(pool.length)]);
  const content: Record<string, unknown> = {};
  if (dice(3) > 0) content['allowed_users'] = list();
  if (dice(3) > 0) content['denied_users'] = list();
  return content;
}

async function act(world: World, pass: Pass, dice: Dice): Promise<string> {
  const pick = <T>(list: readonly T[]): T => list[dice(list.length)] as T;
  const person = pick(world.people);
  const room = pick(world.rooms);
  const { presence } = world.hostOf(person).server;
  switch (
    pick(['set', 'set', 'set', 'sync', 'lists', 'lists', 'lists', 'ignore', 'room', 'room', 'room', 'time', 'restart'])
  ) {
    case 'set': {
      const state = pick(['online', 'online', 'unavailable', 'org.matrix.msc3026.busy', 'offline']);
      const status = dice(2) === 0 ? undefined : `status ${dice(1000)}`;
      await presence.set({ userId: person, deviceId: `D${dice(2)}` }, state, status);
      return `${person} is ${state} ${String(status)}`;
    }
    case 'sync': {
      const end = await presence.beginSync({ userId: person, deviceId: 'S' }, dice(3) === 0 ? 'unavailable' : 'online');
      end();
      return `${person} syncs`;
    }
    case 'lists': {
      const type = pick(sharingTypes);
      const content = randomLists(world, dice);
      await world.set(person, type, content);
      return `${person} sets ${type} to ${JSON.stringify(content)}`;
    }
    case 'ignore': {
      const others = world.people.filter((other) => other !== person && dice(4) === 0);
      await world.set(person, 'm.ignored_user_list', others);
      return `${person} ignores ${others.join()}`;
    }
    case 'room': {
      const membership = world.isJoined(room, person) ? pick(['leave', 'ban']) : 'join';
      await world.move(room, person, membership);
      return `${person}: ${membership} ${room.id}`;
    }
    case 'time': {
      const seconds = pick([1, 20, 45, 330, 1900]);
      await passing(world, pass, seconds * 1000, 15_000);
      return `${seconds} seconds pass`;
    }
    default: {
      const name = pick(serverNames);
      const how = pick(['stop', 'kill'] as const);
      await world.restart(name, how);
      // Who was online has half a minute to come back; a process that was killed may not have known of everybody.
      if (how === 'kill') await passing(world, pass, 35_000, 5000);
      return `${name} is restarted after a ${how}`;
    }
  }
}

/** Time goes by, and what is sent arrives. */
async function passing(world: World, pass: Pass, milliseconds: number, step: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += step) {
    pass(Math.min(step, milliseconds - passed));
    await world.settled();
    await world.deliver();
  }
}

async function openAll(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'portico-worlds-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  let databases = 0;
  return openServers(() => openDatabase({ url: `sqlite:${join(folder, `${++databases}.db`)}`, durability: 'relaxed' }));
}

test(`nobody is shown anything that they may not see, and nothing is hidden: ${count} worlds`, async (context) => {
  const worlds: (readonly [seed: number, index: number])[] = [...regressions];
  for (let index = 0; index < count; index++) worlds.push([seed, index]);
  for (let first = 0; first < worlds.length; first += worldsPerDatabase) {
    const servers = await openAll(context);
    context.after(servers.close);
    for (const [ofSeed, index] of worlds.slice(first, first + worldsPerDatabase)) {
      const dice = createDice(ofSeed * 1_000_003 + index);
      const world = await createWorld(servers);
      const done: string[] = [];
      try {
        servers.watchPuts((_, host, push) => {
          done.push(`    to ${host}: ${JSON.stringify(push)}`);
          checkPush(world, host, push);
        });
        // People meet.
        for (const room of world.rooms) {
          for (const person of world.people) if (dice(2) === 0) await world.move(room, person, 'join');
        }
        for (let step = 0; step < actionsPerWorld; step++) {
          done.push(await act(world, servers.clock.pass, dice));
          // Sometimes several things happen before anything is told, or while it is.
          if (dice(3) === 0) {
            await passing(world, servers.clock.pass, [0, 0, 300, 1100, 2500][dice(5)] ?? 0, 100);
            continue;
          }
          await world.calm();
          await check(world, dice, () => dice(3) > 0);
          if (dice(8) === 0) world.forgetToken(world.devices[dice(world.devices.length)] as never);
        }
        await world.calm();
        await check(world, dice, () => true);
        for (const person of world.people) {
          const settings = world.settingsOf(person);
          const stored = await world.storedSettings(person);
          assert.deepEqual(stored, [settings.allowed, settings.denied], `what ${person} has set`);
        }
      } catch (error) {
        const tail = done.slice(-40).join('\n  ');
        throw new Error(`world ${index} of seed ${ofSeed}, after\n  ${tail}\n${String(error)}`, { cause: error });
      }
    }
    await servers.close();
  }
});
