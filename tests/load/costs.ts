import { setTimeout as pause } from 'node:timers/promises';
import { eventIdOf, findRoomVersion, hashAndSignEvent, isJsonObject, type JsonObject } from '@portico/protocol';
import { createPeerRoom } from '@portico/testkit/peer-room.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { type FederatedServer, must, type Place, register, type StartServer } from './federated-server.ts';
import { polite, startHostilePeer } from './hostile-peer.ts';
import { cpuOf, memoryOf } from './process-cost.ts';

/** How a server is asked to work: each function starts one, and says in milliseconds of CPU what it has spent. */
export type Measured = {
  readonly place: Place;
  readonly start: StartServer;
  /** Events before anything is counted: the code of a server becomes faster with use. */
  readonly warm: number;
};

const version = '11';
const found = findRoomVersion(version);
if (found === undefined) throw new Error('There is no such room version');
const rules = found;
const patience = 120_000;
/** Events that a server may have taken without having seen to them. */
const mostWaiting = 50;

const inRoom = (roomId: string, rest: string) => `/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/${rest}`;

async function until(what: string, isSo: () => Promise<boolean> | boolean, pauseFor = 500): Promise<void> {
  for (const end = Date.now() + patience; !(await isSo()); await pause(pauseFor)) {
    if (Date.now() > end) throw new Error(`It did not come to pass: ${what}`);
  }
}

async function withServer<T>(start: StartServer, work: (server: FederatedServer, person: TestClient) => Promise<T>) {
  const server = await start();
  try {
    return await work(server, await register(server, 'first'));
  } finally {
    await server.stop();
  }
}

async function makeRoom(person: TestClient): Promise<string> {
  const made = person.post('/_matrix/client/v3/createRoom', { preset: 'public_chat', room_version: version });
  return String((await must(made))['room_id']);
}

/** The events that allow a message of the peer's person. */
async function authEvents(person: TestClient, roomId: string, userId: string): Promise<string[]> {
  const state = await person.get(inRoom(roomId, 'state'));
  const events = state.body as unknown as { type: string; state_key: string; event_id: string }[];
  const wanted = [
    ['m.room.create', ''],
    ['m.room.power_levels', ''],
    ['m.room.member', userId],
  ];
  return wanted.map(([type, key]) =>
    String(events.find((each) => each.type === type && each.state_key === key)?.event_id),
  );
}

/**
 * An event of another server, of which so many come in a transaction; the next one comes when the last was answered, or so
 * many in a second.
 */
export async function inbound(
  { place, start, warm }: Measured,
  events: number,
  per: number,
  pace: number,
): Promise<number> {
  const peer = await startHostilePeer(place, polite);
  try {
    return await withServer(start, async (server, person) => {
      const roomId = await makeRoom(person);
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
      let transactions = 0;
      const arrived = () =>
        until('the last event is there', async () => {
          return (await person.get(inRoom(roomId, `event/${encodeURIComponent(last)}`))).status === 200;
        });
      /** Sends events, and waits until they are there: not everybody answers only then. */
      async function deliver(count: number, offset: number): Promise<void> {
        const begun = Date.now();
        for (let at = 0; at < count; at += per) {
          const pdus = Array.from({ length: Math.min(per, count - at) }, (_, index) => make(offset + at + index));
          if (pace > 0) await pause(Math.max(0, begun + (at / per) * (1000 / pace) - Date.now()));
          const content = { origin: peer.serverName, origin_server_ts: Date.now(), pdus };
          const path = `/_matrix/federation/v1/send/${transactions++}`;
          const { pdus: results } = await peer.ask(server.name, 'PUT', path, content);
          const all = isJsonObject(results) ? Object.values(results) : [];
          const refused = all.find((each) => isJsonObject(each) && each['error'] !== undefined);
          if (refused !== undefined) throw new Error(JSON.stringify(refused));
          // Synapse lets go of what it has taken where more than a hundred events of a room wait.
          if ((at + per) % mostWaiting < per) await arrived();
        }
        await arrived();
      }
      await deliver(warm, 0);
      const before = cpuOf(server.pid);
      await deliver(events, warm);
      return (cpuOf(server.pid) - before) / events;
    });
  } finally {
    peer.close();
  }
}

/** An event of this server that goes to so many others, at so many events a second. */
export async function outbound({ place, start, warm }: Measured, events: number, others: number, rate: number) {
  const peers = await Promise.all(Array.from({ length: others }, () => startHostilePeer(place, polite)));
  try {
    return await withServer(start, async (server, person) => {
      const roomId = await makeRoom(person);
      for (const peer of peers) await peer.join(server.name, roomId);
      // What they have got of each other's joins.
      const earlier = peers.map((_, index) => others - 1 - index);
      const send = (index: number) =>
        must(person.put(inRoom(roomId, `send/m.room.message/${index}`), { msgtype: 'm.text', body: `event ${index}` }));
      const haveAll = (count: number) => () =>
        peers.every((peer, index) => peer.events() >= count + (earlier[index] ?? 0));
      for (let index = 0; index < warm; index++) await send(index);
      await until('the others have what was sent first', haveAll(warm));
      const before = cpuOf(server.pid);
      const begun = Date.now();
      for (let index = 0; index < events; index++) {
        await pause(Math.max(0, begun + (index * 1000) / rate - Date.now()));
        await send(warm + index);
      }
      await until('the others have all', haveAll(warm + events));
      return (cpuOf(server.pid) - before) / events;
    });
  } finally {
    for (const peer of peers) peer.close();
  }
}

export type JoinCost = { readonly seconds: number; readonly milliseconds: number; readonly megabytes: number };

/** Joins a room of so many members, all of another server, until the server can name all of them. */
export async function join({ place, start }: Measured, members: number): Promise<JoinCost> {
  const peer = await startHostilePeer(place, polite);
  try {
    return await withServer(start, async (server, person) => {
      const room = createPeerRoom(peer, { version });
      for (let index = 1; index < members; index++) {
        const userId = `@u${index}:${peer.serverName}`;
        const avatar = `mxc://${peer.serverName}/${index}`;
        const content = { membership: 'join', displayname: `Person number ${index}`, avatar_url: avatar };
        room.add({ type: 'm.room.member', stateKey: userId, sender: userId, content });
      }
      const authChain = [...room.state.values()].slice(0, 4).map(({ pdu }) => pdu);
      room.serve((event) => room.joinAnswer(event, { authChain }));
      const [before, memory, begun] = [cpuOf(server.pid), memoryOf(server.pid), performance.now()];
      await must(person.post(`/_matrix/client/v3/join/${encodeURIComponent(room.roomId)}?via=${peer.serverName}`, {}));
      await until('all members are there', async () => {
        const { joined } = await must(person.get(inRoom(room.roomId, 'joined_members')));
        return Object.keys(joined as object).length > members;
      });
      return {
        seconds: (performance.now() - begun) / 1000,
        milliseconds: cpuOf(server.pid) - before,
        megabytes: memoryOf(server.pid).most - memory.now,
      };
    });
  } finally {
    peer.close();
  }
}
