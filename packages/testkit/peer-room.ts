import {
  authEventKeys,
  buildEvent,
  eventIdOf,
  findRoomVersion,
  isJsonObject,
  type JsonObject,
  parseJson,
  type RoomVersionRules,
} from '@portico/protocol';
import type { FederationPeer } from './federation-peer.ts';

export type PeerEvent = {
  readonly type: string;
  readonly stateKey?: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
  /** Instead of what the room's state says. */
  readonly authEvents?: readonly string[];
  readonly prevEvents?: readonly string[];
};

export type MadeEvent = { readonly eventId: string; readonly pdu: string };

/** A room of a peer, whose events are whatever a test says: nothing is judged. */
export interface PeerRoom {
  readonly roomId: string;
  readonly founder: string;
  readonly rules: RoomVersionRules;
  /** Events of the state, by type and state key. */
  readonly state: Map<string, MadeEvent>;
  /** Makes an event without making it part of the room. */
  make(event: PeerEvent): MadeEvent;
  /** Makes an event that follows the last one. */
  add(event: PeerEvent): MadeEvent;
  /** Takes an event of another server, which follows the last one. */
  follow(event: JsonObject): void;
  /** IDs of the events that allow an event. */
  authEvents(event: PeerEvent): string[];
  /** The text of an answer to `send_join`. */
  joinAnswer(
    event: string,
    over?: { readonly state?: readonly string[]; readonly authChain?: readonly string[] },
  ): string;
  /**
   * Serves joins of this room, which then go on from there, and its events; its state is the newest at any event. Who joins
   * waits for their answer until what is done meanwhile has been done.
   */
  serve(answer?: (event: string) => string, whileAnswering?: () => Promise<void>): void;
}

function versionOf(version: string): RoomVersionRules {
  const rules = findRoomVersion(version);
  if (rules === undefined || rules.event.eventId === 'explicit') throw new Error(`no peer rooms of version ${version}`);
  return rules;
}

const joinOf = (userId: string): PeerEvent => ({
  type: 'm.room.member',
  stateKey: userId,
  sender: userId,
  content: { membership: 'join' },
});

const key = (type: string, stateKey: string): string => `${type} ${stateKey}`;

export function createPeerRoom(
  peer: Pick<FederationPeer, 'serverName' | 'key' | 'on'>,
  {
    version = '11',
    joinRule = 'public',
    name = 'room',
  }: { readonly [option in 'version' | 'joinRule' | 'name']?: string } = {},
): PeerRoom {
  const rules = versionOf(version);
  const isNamedByCreate = rules.event.roomId === 'create-event';
  const founder = `@founder:${peer.serverName}`;
  const state = new Map<string, MadeEvent>();
  const events = new Map<string, MadeEvent>();
  let roomId = `!${name}:${peer.serverName}`;
  let last: readonly string[] = [];
  let depth = 0;

  function make(event: PeerEvent): MadeEvent {
    const { type, stateKey, sender, content, authEvents = authEventsOf(event), prevEvents = last } = event;
    const built = buildEvent(
      rules,
      {
        type,
        sender,
        roomId: type === 'm.room.create' && isNamedByCreate ? undefined : roomId,
        stateKey,
        content,
        originServerTs: Date.now(),
        depth: depth + 1,
        prevEvents,
        authEvents,
      },
      { serverName: peer.serverName, key: peer.key },
    );
    if (built.kind === 'reject') throw new Error(built.reason);
    const { before, content: middle, after } = built.pieces;
    return { eventId: built.event.eventId, pdu: before + middle + after };
  }

  function authEventsOf(event: Pick<PeerEvent, 'type' | 'stateKey' | 'sender' | 'content'>): string[] {
    const { type, sender, content } = event;
    const keys = authEventKeys(rules, { type, sender, content, stateKey: event.stateKey });
    return keys.map(([of, stateKey]) => state.get(key(of, stateKey))?.eventId).filter((id) => id !== undefined);
  }

  function follow(made: MadeEvent, type: string, stateKey: string | undefined): void {
    depth += 1;
    last = [made.eventId];
    events.set(made.eventId, made);
    if (stateKey !== undefined) state.set(key(type, stateKey), made);
  }

  function add(event: PeerEvent): MadeEvent {
    const made = make(event);
    follow(made, event.type, event.stateKey);
    return made;
  }

  const create = add({ type: 'm.room.create', stateKey: '', sender: founder, content: { room_version: version } });
  if (isNamedByCreate) roomId = `!${create.eventId.slice(1)}`;
  const users = isNamedByCreate ? {} : { [founder]: 100 };
  add(joinOf(founder));
  add({ type: 'm.room.power_levels', stateKey: '', sender: founder, content: { users } });
  add({ type: 'm.room.join_rules', stateKey: '', sender: founder, content: { join_rule: joinRule } });

  const joinAnswer: PeerRoom['joinAnswer'] = (event, over = {}) => {
    const texts = [...state.values()].map(({ pdu }) => pdu);
    const { state: given = texts, authChain = texts } = over;
    return `{"auth_chain":[${authChain.join(',')}],"event":${event},"members_omitted":false,"state":[${given.join(',')}]}`;
  };
  return {
    roomId,
    founder,
    rules,
    state,
    make,
    add,
    follow(event) {
      const { type, state_key: stateKey } = event;
      const made = { eventId: eventIdOf(rules, event), pdu: JSON.stringify(event) };
      follow(made, type as string, stateKey as string | undefined);
    },
    authEvents: authEventsOf,
    joinAnswer,
    serve(answer = joinAnswer, whileAnswering) {
      peer.on('GET', '/_matrix/federation/v1/make_join/', ({ url }) => {
        const userId = decodeURIComponent(/\/([^/?]*)\?/.exec(url)?.[1] ?? '');
        const { type, sender, stateKey = userId, content } = joinOf(userId);
        const event = {
          type,
          sender,
          state_key: stateKey,
          content,
          room_id: roomId,
          origin_server_ts: Date.now(),
          depth: depth + 1,
          prev_events: last,
          auth_events: authEventsOf(joinOf(userId)),
        };
        return { body: { room_version: version, event } };
      });
      peer.on('PUT', '/_matrix/federation/v2/send_join/', async ({ body }) => {
        const text = answer(body);
        const event = parseJson(body, 'lenient');
        if (!isJsonObject(event)) throw new Error('a join is an object');
        follow({ eventId: eventIdOf(rules, event), pdu: body }, 'm.room.member', event['state_key'] as string);
        await whileAnswering?.();
        return { body: text };
      });
      peer.on('POST', '/_matrix/federation/v1/get_missing_events/', () => ({ body: { events: [] } }));
      peer.on('GET', '/_matrix/federation/v1/event/', ({ url }) => {
        const { pdu } = events.get(decodeURIComponent(url.slice(url.lastIndexOf('/') + 1))) ?? {};
        const fields = `"origin":"${peer.serverName}","origin_server_ts":${Date.now()}`;
        return pdu === undefined ? { status: 404, body: {} } : { body: `{${fields},"pdus":[${pdu}]}` };
      });
      peer.on('GET', '/_matrix/federation/v1/state/', () => {
        const texts = [...state.values()].map(({ pdu }) => pdu).join(',');
        return { body: `{"auth_chain":[${texts}],"pdus":[${texts}]}` };
      });
    },
  };
}
