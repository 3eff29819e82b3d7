import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { eventIdOf, findRoomVersion, hashAndSignEvent, type JsonObject, parseJson } from '@portico/protocol';
import { createPeerRoom, type MadeEvent, type PeerRoom } from '@portico/testkit/peer-room.ts';
import { createRoom, pathOf } from '@portico/testkit/people.ts';
import { makePlace, must, parseKinds, register, starter } from './federated-server.ts';
import { type HostilePeer, polite, startHostilePeer } from './hostile-peer.ts';
import { cpuOf, memoryOf } from './process-cost.ts';
import { createFigures } from './table.ts';

/**
 * `node tests/load/flood.ts [--servers synapse,portico] [--members N] [--seconds N] [--lanes N]`: a hostile server changes a large
 * room, each time something else, from many places in its past, so many transactions at a time. Tells how long others wait
 * meanwhile: people of this server and of an honest one, in that room and in another.
 */
const { values } = parseArgs({
  options: {
    servers: { type: 'string', default: 'portico' },
    members: { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '30' },
    lanes: { type: 'string', default: '1' },
  },
});
const [members, seconds, lanes] = [Number(values.members), Number(values.seconds), Number(values.lanes)];
const kinds = parseKinds(values.servers);
const place = makePlace();
const say = (line: string) => void process.stdout.write(`${line}\n`);
const { note, table } = createFigures(say);

const parse = ({ pdu }: MadeEvent): JsonObject => parseJson(pdu, 'lenient') as JsonObject;
const rules = findRoomVersion('11');
if (rules === undefined) throw new Error('There is no version 11');
const v11 = rules;
/** Places in the past that are followed. */
const places = 200;

async function bring(peer: HostilePeer, server: string, pdus: readonly JsonObject[]): Promise<void> {
  const uri = `/_matrix/federation/v1/send/${randomBytes(9).toString('hex')}`;
  await peer.ask(server, 'PUT', uri, { origin: peer.serverName, origin_server_ts: Date.now(), pdus });
}

/** Somebody of another server, who follows what they have said before. */
function speaker(
  peer: HostilePeer,
  roomId: string,
  joined: string,
  template: { auth: readonly string[]; depth: number },
) {
  let previous = joined;
  let { depth } = template;
  return (body: string): JsonObject => {
    const event = {
      type: 'm.room.message',
      room_id: roomId,
      sender: `@mallory:${peer.serverName}`,
      content: { body },
      depth: ++depth,
      origin_server_ts: Date.now(),
      prev_events: [previous],
      auth_events: [...template.auth, joined],
    };
    const pdu = hashAndSignEvent(v11, event, peer.serverName, peer.key);
    previous = eventIdOf(v11, pdu);
    return pdu;
  };
}

/** How long something takes each time, in milliseconds, until it is over. */
async function measure(work: (count: number) => Promise<unknown>, isOver: () => boolean): Promise<number[]> {
  const taken: number[] = [];
  for (let count = 0; !isOver(); count++) {
    const started = performance.now();
    await work(count);
    taken.push(performance.now() - started);
    await pause(100);
  }
  return taken.toSorted((a, b) => a - b);
}

async function run(kind: (typeof kinds)[number]): Promise<void> {
  const server = await starter(kind, place)();
  const [hostile, honest] = [await startHostilePeer(place, polite), await startHostilePeer(place, polite)];
  const alice = await register(server, 'alice');
  const other = await createRoom(alice, { room_version: '11' });
  const room: PeerRoom = createPeerRoom(hostile, { version: '11' });
  room.serve();
  await must(alice.post(`/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?via=${hostile.serverName}`, {}));
  const chain: MadeEvent[] = [];
  for (let index = 0; index < members; index++) {
    const userId = `@p${index}:${hostile.serverName}`;
    chain.push(room.add({ type: 'm.room.member', stateKey: userId, sender: userId, content: { membership: 'join' } }));
  }
  for (let at = 0; at < chain.length; at += 50) await bring(hostile, server.name, chain.slice(at, at + 50).map(parse));
  say(`${members} have joined`);
  const speakerIn = async (roomId: string) => {
    const uri = `/_matrix/federation/v1/make_join/${encodeURIComponent(roomId)}/${encodeURIComponent(`@mallory:${honest.serverName}`)}?ver=11`;
    const { event } = (await honest.ask(server.name, 'GET', uri)) as {
      event: { auth_events: string[]; depth: number };
    };
    const joined = await honest.join(server.name, roomId);
    return speaker(honest, roomId, joined, { auth: event.auth_events.slice(0, 2), depth: event.depth });
  };
  const speaks = { same: await speakerIn(room.roomId), other: await speakerIn(other) };
  const sayIn = (roomId: string, what: string) => (count: number) =>
    must(alice.put(pathOf(roomId, `send/m.room.message/${what}-${count}`), { body: `${count}`, msgtype: 'm.text' }));
  const measureAll = async (when: string, isOver: () => boolean): Promise<void> => {
    const works = {
      'a message, other room': sayIn(other, `other ${when}`),
      'a message, same room': sayIn(room.roomId, `same ${when}`),
      'an honest server, other room': () => bring(honest, server.name, [speaks.other('hello')]),
      'an honest server, same room': () => bring(honest, server.name, [speaks.same('hello')]),
    };
    for (const [what, taken] of await Promise.all(
      Object.entries(works).map(async ([what, work]) => [what, await measure(work, isOver)] as const),
    )) {
      note(kind, `${when}: ${what}, ms, p50`, taken[Math.floor(taken.length / 2)] ?? 0);
      note(kind, `${when}: ${what}, ms, p95`, taken[Math.floor(taken.length * 0.95)] ?? 0);
      note(kind, `${when}: ${what}, ms, max`, taken.at(-1) ?? 0);
    }
  };
  const within = (milliseconds: number) => {
    const end = performance.now() + milliseconds;
    return () => performance.now() > end;
  };
  await measureAll('before', within(4000));
  let [taken, made, refused] = [0, 0, 0];
  const isOver = within(seconds * 1000);
  const [cpu, started] = [cpuOf(server.pid), performance.now()];
  const lane = async (): Promise<void> => {
    while (!isOver()) {
      const events = Array.from({ length: 50 }, () => {
        const index = made++;
        const at = chain[Math.floor(((index % places) * chain.length) / places)];
        return room.make({
          type: 'org.example.some',
          stateKey: `${index}`,
          sender: room.founder,
          content: { index },
          prevEvents: [at?.eventId ?? ''],
        });
      });
      try {
        await bring(hostile, server.name, events.map(parse));
        taken += 50;
      } catch {
        refused += 50;
        await pause(100);
      }
    }
  };
  const flood = Promise.all(Array.from({ length: lanes }, lane));
  await measureAll('flood', isOver);
  note(kind, 'CPU used meanwhile, of a second', (cpuOf(server.pid) - cpu) / (performance.now() - started));
  await flood;
  note(kind, 'events of the flood that were answered for', taken);
  note(kind, 'events of the flood that were refused', refused);
  note(kind, 'memory in the end, MB', memoryOf(server.pid).now);
  await measureAll('after', within(4000));
  await server.stop();
  hostile.close();
  honest.close();
}

try {
  for (const kind of kinds) await run(kind);
  say(table(kinds));
} finally {
  rmSync(place.folder, { recursive: true, force: true });
}
process.exit();
