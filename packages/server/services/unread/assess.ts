import type { JsonObject } from '@portico/protocol';

/** What counting an event looks at. Known to whoever decides the event, before it is committed. */
export type CountedEvent = {
  readonly eventNid: number;
  readonly roomNid: number;
  readonly roomId: string;
  readonly type: string;
  readonly stateKey: string | undefined;
  readonly sender: string;
  readonly content: JsonObject;
  /** The thread it belongs to, as `findThread` says. */
  readonly thread: ThreadPlace | undefined;
  /** Of a membership event: the membership that it replaces, `leave` for none. */
  readonly previousMembership: string | undefined;
};

/** Where in a thread an event belongs. */
export type ThreadPlace = {
  readonly threadNid: number;
  /** Whether it is a message of the thread; a reaction to one, for instance, is not. */
  readonly isReply: boolean;
};

/** What push rules ask about the room. Functions, because hardly any event needs them. */
export type RoomFacts = {
  /** Joined members, the event's own effect included. */
  memberCount(): number;
  /** Whether the sender's power level suffices for `notifications[key]` of the power levels; 50 where that is missing. */
  mayNotify(key: string): boolean;
};

/** What is kept of an event for people for whom it counts otherwise than the ordinals say. */
export type UnreadException = {
  /** Empty for "everyone who has no row of their own". */
  readonly userIds: readonly string[];
  /** Whether only those of `userIds` count who are joined members of this server: not known in memory. */
  readonly onlyMembers: boolean;
  readonly notify: 0 | 1;
  readonly highlight: 0 | 1;
  /** What it is for everyone without a row of their own. */
  readonly baseNotify: 0 | 1;
  readonly baseHighlight: 0 | 1;
};

/** How an event is counted. A decision: writing it is `appendUnread`. */
export type Assessment = {
  /** Whether the ordinal of its thread, or of the room outside threads, goes up by one. */
  readonly counts: boolean;
  readonly exceptions: readonly UnreadException[];
  /** Whether its sender, one of this server's people, has thereby read up to it: in its thread, everywhere, or not at all. */
  readonly senderReads: 'thread' | 'everything' | undefined;
};
