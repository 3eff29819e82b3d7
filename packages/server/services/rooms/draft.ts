import type { JsonObject } from '@portico/protocol';

/** An event that somebody wants in a room, before the room's head decides the rest of it. */
export type Draft = {
  readonly type: string;
  /** `undefined` for a message event. */
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
  /** The event that a redaction redacts. */
  readonly redacts?: string;
  /** Instead of the time now, for application services. Milliseconds. */
  readonly originServerTs?: number;
  /** For how many milliseconds it is to be sticky. */
  readonly stickyMs?: number;
  readonly transaction?: { readonly deviceId: string; readonly txnId: string };
};

export function stateDraft(sender: string, type: string, content: JsonObject, stateKey = ''): Draft {
  return { type, stateKey, sender, content };
}

export function memberDraft(sender: string, userId: string, content: JsonObject): Draft {
  return { type: 'm.room.member', stateKey: userId, sender, content };
}
