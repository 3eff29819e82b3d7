import type { PduPieces, RoomEvent, RoomVersionRules } from '@portico/protocol';

/** An event of another server whose format, hash and signatures have been checked. */
export type ReceivedEvent = {
  readonly event: RoomEvent;
  readonly pieces: PduPieces;
  /** It failed softly when it came, and is looked at once more. */
  readonly isReconsidered?: boolean;
  /** Of a redaction that has waited: what was found when it came of its sender's power to redact. */
  readonly hadRedactionPower?: boolean;
};

export type ReceivingRoom = {
  readonly roomNid: number;
  readonly rules: RoomVersionRules;
  readonly createEventNid: number;
};

/** Why an event does not become part of its room, though its auth events and the state before it allow it. */
export type SoftFailure = { readonly rule: string; readonly reason: string };

export type Outcome =
  | { readonly kind: 'accepted'; readonly eventNid: number }
  | { readonly kind: 'known' }
  | { readonly kind: 'soft-failed' | 'rejected'; readonly rule: string; readonly reason: string };

/** What became of an event among others. */
export type Result = Outcome | { readonly kind: 'failed'; readonly error: unknown };

/** Events that an event builds on and that are not here: they have to be fetched first. */
export class MissingEventsError extends Error {
  override readonly name = 'MissingEventsError';
  readonly prevEvents: readonly string[];
  readonly authEvents: readonly string[];

  constructor(missing: { readonly prevEvents: readonly string[]; readonly authEvents: readonly string[] }) {
    super('The event builds on events that are not here');
    this.prevEvents = missing.prevEvents;
    this.authEvents = missing.authEvents;
  }
}
