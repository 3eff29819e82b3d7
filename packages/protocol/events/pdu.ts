import type { JsonObject, JsonValue } from '../json/value.ts';

/**
 * A persistent data unit as it travels between servers, with the fields that every room version has. Read lazily: only
 * the fields named here were checked for their JSON type when the PDU was parsed; `content` was checked to be an object
 * and nothing more, because a strict schema would refuse events that other servers accept.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#pdus}
 */
export type Pdu = {
  readonly type: string;
  readonly sender: string;
  /** Absent on the `m.room.create` event of room version 12 and later. */
  readonly room_id?: string;
  /** Present, possibly empty, on state events only. */
  readonly state_key?: string;
  readonly content: JsonObject;
  readonly origin_server_ts: number;
  readonly depth: number;
  /** Event IDs. The `[id, hashes]` pairs of room versions 1 and 2 are reduced to IDs in `PduInRoom`, not here. */
  readonly prev_events: readonly JsonValue[];
  readonly auth_events: readonly JsonValue[];
  readonly hashes?: JsonObject;
  readonly signatures?: JsonObject;
  readonly unsigned?: JsonObject;
  /** Top-level in room versions 1 to 10; in `content` from 11. */
  readonly redacts?: string;
  /** Room versions 1 and 2 only. */
  readonly event_id?: string;
  readonly [field: string]: JsonValue | undefined;
};

/**
 * A PDU together with what its room version derives from it. This is what authorisation and state resolution work on.
 */
export type RoomEvent = {
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  /** `undefined` on message events. */
  readonly stateKey: string | undefined;
  readonly content: JsonObject;
  readonly originServerTs: number;
  readonly depth: number;
  readonly prevEvents: readonly string[];
  readonly authEvents: readonly string[];
  /** The event that a redaction redacts, wherever the room version keeps it. */
  readonly redacts: string | undefined;
  /** Whether this server rejected the event. A rejected event is never part of a state. */
  readonly rejected: boolean;
  /** For how many milliseconds it is sticky, if it is. */
  readonly stickyMs?: number;
};
