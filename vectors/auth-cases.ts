import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject, RoomEvent, RoomVersionRules, RuleCode } from '@portico/protocol';
import { readVectors } from './vector-file.ts';

/** An event as a vector has it: `room_id`, `content` and `prev_events` may be left out. */
export type VectorEvent = {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly room_id?: string;
  readonly state_key?: string;
  readonly content: JsonObject;
  readonly prev_events?: readonly string[];
  readonly auth_events?: readonly string[];
  readonly redacts?: string;
  readonly depth?: number;
  readonly origin_server_ts?: number;
  readonly rejected?: boolean;
};

export type AuthCase = {
  readonly file: string;
  readonly name: string;
  readonly rule: RuleCode;
  readonly roomVersions: readonly string[];
  readonly event: VectorEvent;
  readonly state: readonly VectorEvent[];
  readonly signedBy: readonly string[] | undefined;
  readonly authEvents: readonly VectorEvent[] | undefined;
  readonly allowed: boolean;
};

type AuthFile = {
  readonly room?: readonly VectorEvent[];
  readonly cases: readonly (Omit<AuthCase, 'file' | 'state'> & {
    readonly change?: readonly VectorEvent[];
    readonly without?: readonly (readonly [type: string, stateKey: string])[];
  })[];
};

export function readAuthCases(): readonly AuthCase[] {
  const files = readdirSync(join(import.meta.dirname, 'auth')).toSorted();
  return files.flatMap((file) => {
    const { room = [], cases } = readVectors(`auth/${file}`) as AuthFile;
    return cases.map(({ change = [], without = [], ...entry }) => {
      const replaced = [...without, ...change.map((event) => [event.type, event.state_key] as const)];
      const kept = room.filter(
        (event) => !replaced.some(([type, key]) => type === event.type && key === event.state_key),
      );
      return { ...entry, signedBy: entry.signedBy, authEvents: entry.authEvents, file, state: [...kept, ...change] };
    });
  });
}

export function toEvent(rules: RoomVersionRules, event: VectorEvent): RoomEvent {
  const redacts = rules.event.redacts === 'content' ? event.content['redacts'] : event.redacts;
  return {
    eventId: event.event_id,
    roomId: event.room_id ?? (rules.event.roomId === 'create-event' ? '!create:a.example' : '!room:a.example'),
    type: event.type,
    sender: event.sender,
    stateKey: event.state_key,
    content: event.content,
    originServerTs: event.origin_server_ts ?? 0,
    depth: event.depth ?? 1,
    prevEvents: event.prev_events ?? [],
    authEvents: event.auth_events ?? [],
    redacts: typeof redacts === 'string' ? redacts : undefined,
    rejected: event.rejected ?? false,
  };
}
