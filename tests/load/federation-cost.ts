import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import {
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  type JsonObject,
  type RoomVersionRules,
} from '@portico/protocol';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import { cpuTime, type FederatedServer, must, register, startFederatedServer } from './federated-server.ts';
import { polite, startHostilePeer } from './hostile-peer.ts';

/**
 * `node tests/load/federation-cost.ts [--events N] [--per N] [--rate N] [--peers N] [--profile FOLDER]`: what one server spends on an event
 * of another one, of which so many come in a transaction; and on one more server that an event goes to.
 */
const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '2000' },
    per: { type: 'string', default: '50,5,1' },
    rate: { type: 'string', default: '100' },
    peers: { type: 'string', default: '0,20' },
    profile: { type: 'string' },
  },
});
const events = Number(values.events);
const numbersOf = (text: string) => (text === '' ? [] : text.split(',').map(Number));
const folder = mkdtempSync(join(tmpdir(), 'portico-cost-'));
const authority = createTestAuthority();
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, authority.certificate);
const say = (line: string) => void process.stdout.write(`${line}\n`);
function rulesOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined) throw new Error('There is no such room version');
  return rules;
}
const rules = rulesOf('11');

async function withRoom(
  work: (server: FederatedServer, person: Awaited<ReturnType<typeof register>>, roomId: string) => Promise<void>,
) {
  const server = await startFederatedServer({ folder, authority, caFile, profile: values.profile });
  try {
    const person = await register(server, 'first');
    const made = person.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: '11' });
    await work(server, person, String((await must(made))['room_id']));
  } finally {
    server.process.signal('SIGTERM');
    await server.process.ended;
  }
}

/** The events that allow a message of the peer's person, and the newest one. */
async function authEvents(person: Awaited<ReturnType<typeof register>>, roomId: string, userId: string) {
  const state = await person.get(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/state`);
  const found = state.body as unknown as { type: string; state_key: string; event_id: string }[];
  const wanted = [
    ['m.room.create', ''],
    ['m.room.power_levels', ''],
    ['m.room.member', userId],
  ];
  return wanted.map(([type, key]) =>
    String(found.find((each) => each.type === type && each.state_key === key)?.event_id),
  );
}

async function inbound(per: number): Promise<void> {
  await withRoom(async (server, person, roomId) => {
    const peer = await startHostilePeer(authority, caFile, polite);
    let last = await peer.join(server.name, roomId);
    const sender = `@mallory:${peer.serverName}`;
    const auth = await authEvents(person, roomId, sender);
    const make = (index: number): JsonObject => {
      const pdu = hashAndSignEvent(
        rules,
        {
          type: 'm.room.message',
          sender,
          room_id: roomId,
          content: { msgtype: 'm.text', body: `event ${index}` },
          origin_server_ts: Date.now(),
          depth: 100 + index,
          prev_events: [last],
          auth_events: auth,
        },
        peer.serverName,
        peer.key,
      );
      last = eventIdOf(rules, pdu);
      return pdu;
    };
    const pdus = Array.from({ length: events + 100 }, (_, index) => make(index));
    let [before, sent] = [0, 0];
    for (let start = 0; start < pdus.length; start += per) {
      if (start >= 100 && before === 0) [before, sent] = [cpuTime(server.process.pid), pdus.length - start];
      const content = { origin: peer.serverName, origin_server_ts: Date.now(), pdus: pdus.slice(start, start + per) };
      const answer = await peer.ask(server.name, 'PUT', `/_matrix/federation/v1/send/${start}`, content);
      const refused = Object.values(answer['pdus'] as JsonObject).find((each) => JSON.stringify(each) !== '{}');
      if (refused !== undefined) throw new Error(JSON.stringify(refused));
    }
    const used = cpuTime(server.process.pid) - before;
    say(`an event of another server, ${per} in a transaction: ${(used / sent).toFixed(2)} ms of CPU`);
    peer.close();
  });
}

async function outbound(count: number): Promise<number> {
  let each = 0;
  await withRoom(async (server, person, roomId) => {
    const peers = await Promise.all(Array.from({ length: count }, () => startHostilePeer(authority, caFile, polite)));
    for (const peer of peers) await peer.join(server.name, roomId);
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/send/m.room.message`;
    const send = (index: number) => must(person.put(`${path}/${index}`, { msgtype: 'm.text', body: `event ${index}` }));
    for (let index = 0; index < 100; index++) await send(index);
    const before = cpuTime(server.process.pid);
    const begun = Date.now();
    for (let index = 0; index < events; index++) {
      await pause(Math.max(0, begun + (index * 1000) / Number(values.rate) - Date.now()));
      await send(100 + index);
    }
    await pause(1000);
    each = (cpuTime(server.process.pid) - before) / events;
    const transactions = peers.map((peer) => peer.transactions());
    say(`an event to ${count} others: ${each.toFixed(2)} ms of CPU; transactions to each: ${transactions.join(', ')}`);
    for (const peer of peers) peer.close();
  });
  return each;
}

try {
  for (const per of numbersOf(values.per)) await inbound(per);
  let before: { count: number; each: number } | undefined;
  for (const count of numbersOf(values.peers)) {
    const each = await outbound(count);
    if (before !== undefined) {
      say(`one more server: ${((each - before.each) / (count - before.count)).toFixed(3)} ms of CPU`);
    }
    before = { count, each };
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit();
