import type { JsonObject } from '@portico/protocol';
import type { SentEvent } from './counted-room.ts';
import fc from 'fast-check';
import type { RoomUnread } from '@portico/server/services/unread/unread-counts.ts';

export const users = ['@alice:here', '@bob:here', '@carol:here', '@dave:here'];

export const mayNotify = (userId: string): boolean => userId === '@alice:here';

/** What a step names by number is taken modulo how many of it there are. */
export type Step =
  | { readonly kind: 'send'; readonly by: number; readonly what: string; readonly to: number; readonly whom: number }
  | { readonly kind: 'redact'; readonly by: number; readonly to: number }
  | {
      readonly kind: 'receipt';
      readonly by: number;
      readonly to: number;
      readonly type: number;
      readonly reach: number;
    }
  | { readonly kind: 'rules'; readonly by: number; readonly what: string; readonly whom: number }
  | { readonly kind: 'ignore'; readonly by: number; readonly whom: number; readonly ignore: boolean }
  | { readonly kind: 'membership'; readonly by: number; readonly join: boolean };

const number = fc.nat({ max: 40 });

const messages = [
  'plain',
  'plain',
  'encrypted',
  'notice',
  'thread',
  'thread',
  'thread-mention',
  'mention',
  'room-mention',
  'edit',
  'edit-mention',
  'reaction',
  'topic',
  'tombstone',
  'keyword',
] as const;

const ruleChanges = [
  'mute',
  'mentions-only',
  'everything',
  'keyword',
  'no-sender',
  'master',
  'no-messages',
  'silent',
  'reset',
];

const send = fc.record({
  kind: fc.constant('send' as const),
  by: number,
  what: fc.constantFrom(...messages),
  to: number,
  whom: number,
});

const receipt = fc.record({
  kind: fc.constant('receipt' as const),
  by: number,
  to: number,
  type: fc.nat({ max: 1 }),
  reach: fc.nat({ max: 1 }),
});

const redact = fc.record({ kind: fc.constant('redact' as const), by: number, to: number });

export const plainSteps = fc.oneof({ weight: 6, arbitrary: send }, { weight: 3, arbitrary: receipt }, redact);

const rules = fc.record({
  kind: fc.constant('rules' as const),
  by: number,
  what: fc.constantFrom(...ruleChanges),
  whom: number,
});

const ignore = fc.record({
  kind: fc.constant('ignore' as const),
  by: number,
  whom: number,
  ignore: fc.boolean(),
});

const membership = fc.record({ kind: fc.constant('membership' as const), by: number, join: fc.boolean() });

export const allSteps = fc.oneof(
  { weight: 6, arbitrary: plainSteps },
  { weight: 2, arbitrary: rules },
  ignore,
  membership,
);

type ModelEvent = SentEvent & {
  readonly sender: string;
  /** The event ID of the root, '' outside threads. */
  readonly thread: string;
  /** For whom it counted when it was sent, and whether as a highlight. */
  readonly counted: Map<string, boolean>;
  readonly index: number;
};

/** The same room as lists in memory: every event is judged for every member, by all of their rules. */
export function createModel() {
  const events: ModelEvent[] = [];
  const joined = new Set<string>();
  const ignored = new Map<string, Set<string>>(users.map((user) => [user, new Set()]));
  const unread = new Map<string, Set<ModelEvent>>(users.map((user) => [user, new Set()]));
  return {
    events,
    joined,
    ignored,
    read(user: string, isRead: (event: ModelEvent) => boolean) {
      const left = unread.get(user);
      for (const event of left ?? []) if (isRead(event)) left?.delete(event);
    },
    add(event: ModelEvent) {
      events.push(event);
      for (const user of event.counted.keys()) unread.get(user)?.add(event);
    },
    drop(event: ModelEvent) {
      for (const left of unread.values()) left.delete(event);
    },
    counts(user: string): RoomUnread {
      const count = (thread: string) => {
        const left = [...(unread.get(user) ?? [])].filter((event) => event.thread === thread);
        return {
          notificationCount: left.length,
          highlightCount: left.filter((event) => event.counted.get(user) === true).length,
        };
      };
      const threads = new Set([...(unread.get(user) ?? [])].map((event) => event.thread).filter((id) => id !== ''));
      return { main: count(''), threads: new Map([...threads].map((thread) => [thread, count(thread)])) };
    },
  };
}

export function eventOf(
  what: string,
  target: ModelEvent | undefined,
  whom: string,
): { type: string; content: JsonObject; stateKey?: string; thread: string } {
  const message = { msgtype: 'm.text', body: 'hello' };
  const mentions = { 'm.mentions': { user_ids: [whom, '@stranger:here', '@far:away'] } };
  const relation = (rel_type: string) => ({ 'm.relates_to': { rel_type, event_id: target?.eventId ?? '$unknown' } });
  const root = target === undefined ? '' : target.thread === '' ? target.eventId : target.thread;
  const type = 'm.room.message';
  const thread = target?.thread ?? '';
  switch (what) {
    case 'encrypted':
      return { type: 'm.room.encrypted', content: {}, thread: '' };
    case 'notice':
      return { type, content: { ...message, msgtype: 'm.notice' }, thread: '' };
    case 'thread':
      return { type, content: { ...message, ...relation('m.thread') }, thread: root };
    case 'thread-mention':
      return { type, content: { ...message, ...relation('m.thread'), ...mentions }, thread: root };
    case 'mention':
      return { type, content: { ...message, ...mentions }, thread: '' };
    case 'room-mention':
      return { type, content: { ...message, 'm.mentions': { room: true, user_ids: [whom] } }, thread: '' };
    case 'edit':
      return { type, content: { ...message, ...relation('m.replace') }, thread };
    case 'edit-mention':
      return { type, content: { ...message, ...relation('m.replace'), ...mentions }, thread };
    case 'reaction':
      return { type: 'm.reaction', content: relation('m.annotation'), thread };
    case 'topic':
      return { type: 'm.room.topic', content: { topic: 'cake' }, stateKey: '', thread: '' };
    case 'tombstone':
      return { type: 'm.room.tombstone', content: { body: 'gone' }, stateKey: '', thread: '' };
    case 'keyword':
      return { type, content: { ...message, body: 'there is cake' }, thread: '' };
    default:
      return { type, content: message, thread: '' };
  }
}
