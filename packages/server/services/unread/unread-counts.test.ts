import assert from 'node:assert/strict';
import type { JsonObject } from '@portico/protocol';
import { compilePushRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import { effectiveRules } from '@portico/protocol/push/effective-rules.ts';
import { readPushRules } from '@portico/protocol/push/stored-rules.ts';
import type { Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit';
import {
  type CountedRoom,
  createCountedRoom,
  type SentEvent,
  testUnreadService,
} from '@portico/testkit/counted-room.ts';
import { recountUnread } from '@portico/testkit/recount-unread.ts';
import fc from 'fast-check';
import { createAccountData } from '../accounts/account-data.ts';
import { createPushRules } from '../push-rules/push-rules.ts';
import { createRoomNames } from '../reading/room-names.ts';
import { createReceipts } from '../receipts/receipts.ts';
import { nothingUnread, type RoomUnread, unreadCounts } from './unread-counts.ts';

const users = ['@alice:here', '@bob:here', '@carol:here', '@dave:here'];
const mayNotify = (userId: string): boolean => userId === '@alice:here';

/** What a step names by number is taken modulo how many of it there are. */
type Step =
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
  'plain', 'plain', 'encrypted', 'notice', 'thread', 'thread', 'thread-mention', 'mention', 'room-mention', 'edit',
  'edit-mention', 'reaction', 'topic', 'tombstone', 'keyword',
] as const; // oxfmt-ignore
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
const plainSteps = fc.oneof({ weight: 6, arbitrary: send }, { weight: 3, arbitrary: receipt }, redact);
const rules = fc.record({
  kind: fc.constant('rules' as const),
  by: number,
  what: fc.constantFrom(...ruleChanges),
  whom: number,
});
const ignore = fc.record({ kind: fc.constant('ignore' as const), by: number, whom: number, ignore: fc.boolean() });
const membership = fc.record({ kind: fc.constant('membership' as const), by: number, join: fc.boolean() });
const allSteps = fc.oneof({ weight: 6, arbitrary: plainSteps }, { weight: 2, arbitrary: rules }, ignore, membership);

type ModelEvent = SentEvent & {
  readonly sender: string;
  /** The event ID of the root, '' outside threads. */
  readonly thread: string;
  /** For whom it counted when it was sent, and whether as a highlight. */
  readonly counted: Map<string, boolean>;
  readonly index: number;
};

/** The same room as lists in memory: every event is judged for every member, by all of their rules. */
function createModel() {
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

async function play(db: Database, steps: readonly Step[]): Promise<void> {
  const unread = testUnreadService(db);
  const room = await createCountedRoom(db, unread, mayNotify);
  const services = {
    room,
    pushRules: createPushRules({ db }),
    accountData: createAccountData({ db }),
    receipts: createReceipts({ isPushed: () => false, db, roomNames: createRoomNames(db), now: () => 1 }),
  };
  const model = createModel();
  // Rules and lists outlive a room: every run begins without any.
  for (const user of users) {
    await changeRules(services.pushRules, user, room.roomId, 'reset', '');
    await services.accountData.set(user, '', 'm.ignored_user_list', { ignored_users: {} });
    await step(services, model, { kind: 'membership', by: users.indexOf(user), join: true });
  }
  const usesDefaults = steps.every(({ kind }) => kind !== 'rules' && kind !== 'ignore' && kind !== 'membership');
  try {
    for (const next of steps) {
      await step(services, model, next);
      for (const user of model.joined) {
        const found = (await unreadCounts(db, user, [room.roomNid])).get(room.roomNid) ?? nothingUnread;
        assert.deepEqual(found, model.counts(user), `${user} after ${JSON.stringify(next)}`);
        if (usesDefaults) assert.deepEqual(found, await recountUnread(db, user, room, { mayNotify }));
      }
    }
  } finally {
    unread.close();
  }
}

type Services = {
  readonly room: CountedRoom;
  readonly pushRules: ReturnType<typeof createPushRules>;
  readonly accountData: ReturnType<typeof createAccountData>;
  readonly receipts: ReturnType<typeof createReceipts>;
};

async function step(services: Services, model: ReturnType<typeof createModel>, next: Step): Promise<void> {
  const { room, pushRules, accountData, receipts } = services;
  const { events, joined, ignored } = model;
  const user = users[next.by % users.length] ?? '';
  const target = 'to' in next && events.length > 0 ? events[next.to % events.length] : undefined;
  switch (next.kind) {
    case 'membership': {
      if (joined.has(user) === next.join) return;
      await room.setMembership(user, next.join ? 'join' : 'leave');
      if (next.join) joined.add(user);
      else joined.delete(user);
      return model.read(user, () => true);
    }
    case 'ignore': {
      const other = users[next.whom % users.length] ?? '';
      if (next.ignore && other !== user) ignored.get(user)?.add(other);
      else ignored.get(user)?.delete(other);
      const list = Object.fromEntries([...(ignored.get(user) ?? [])].map((id) => [id, {}]));
      return accountData.set(user, '', 'm.ignored_user_list', { ignored_users: list });
    }
    case 'rules':
      return changeRules(pushRules, user, room.roomId, next.what, users[next.whom % users.length] ?? '');
    case 'receipt': {
      if (!joined.has(user) || target === undefined) return;
      const thread = target.thread === '' ? 'main' : target.thread;
      const threadId = next.reach === 0 ? undefined : thread;
      const type = next.type === 0 ? 'm.read' : 'm.read.private';
      await receipts.send(user, room.roomId, [{ type, eventId: target.eventId, threadId }]);
      return model.read(
        user,
        (event) => event.index <= target.index && (threadId === undefined || event.thread === target.thread),
      );
    }
    case 'redact': {
      if (!joined.has(user) || target === undefined) return;
      await sendEvent(services, model, user, { type: 'm.room.redaction', content: {} }, '', target);
      return model.drop(target);
    }
    case 'send': {
      if (!joined.has(user)) return;
      const { type, content, stateKey, thread } = eventOf(next.what, target, users[next.whom % users.length] ?? '');
      return sendEvent(services, model, user, { type, content, ...(stateKey !== undefined && { stateKey }) }, thread);
    }
    default:
      return next satisfies never;
  }
}

async function sendEvent(
  { room, pushRules }: Services,
  model: ReturnType<typeof createModel>,
  sender: string,
  event: { readonly type: string; readonly content: JsonObject; readonly stateKey?: string },
  thread: string,
  redacts?: SentEvent,
): Promise<void> {
  const counted = new Map<string, boolean>();
  for (const user of model.joined) {
    if (user === sender || model.ignored.get(user)?.has(sender) === true) continue;
    const rules = compilePushRules(effectiveRules(readPushRules(await pushRules.all(user))));
    const outcome = evaluatePush(
      rules,
      { ...event, sender, roomId: room.roomId, stateKey: event.stateKey },
      {
        userId: user,
        displayName: undefined,
        memberCount: () => model.joined.size,
        mayNotify: () => mayNotify(sender),
      },
    );
    if (outcome?.notify === true) counted.set(user, outcome.highlight);
  }
  const sent = await room.send({ ...event, sender, ...(redacts && { redacts }) });
  model.add({ ...sent, sender, thread, counted, index: model.events.length });
  model.read(sender, (other) => other.thread === thread);
}

function eventOf(
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

async function changeRules(
  pushRules: ReturnType<typeof createPushRules>,
  user: string,
  roomId: string,
  what: string,
  whom: string,
): Promise<void> {
  const highlight = ['notify', { set_tweak: 'highlight' }];
  const conditions = [{ kind: 'event_match', key: 'room_id', pattern: roomId }];
  switch (what) {
    case 'mute':
      return pushRules.put(user, 'override', roomId, { conditions, actions: [] }, {});
    case 'mentions-only':
      return pushRules.put(user, 'room', roomId, { actions: [] }, {});
    case 'everything':
      return pushRules.put(user, 'room', roomId, { actions: ['notify'] }, {});
    case 'keyword':
      return pushRules.put(user, 'content', 'cake', { pattern: 'cake', actions: highlight }, {});
    case 'no-sender':
      return pushRules.put(user, 'sender', whom, { actions: ['dont_notify'] }, {});
    case 'master':
      return pushRules.setEnabled(user, 'override', '.m.rule.master', { enabled: true });
    case 'no-messages':
      return pushRules.setEnabled(user, 'underride', '.m.rule.message', { enabled: false });
    case 'silent':
      return pushRules.setActions(user, 'override', '.m.rule.is_user_mention', { actions: [] });
    default: {
      for (const [kind, rules] of Object.entries((await pushRules.all(user)).global)) {
        for (const rule of rules as { rule_id: string; default: boolean }[]) {
          if (!rule.default) await pushRules.delete(user, kind, rule.rule_id);
        }
      }
      await pushRules.setEnabled(user, 'override', '.m.rule.master', { enabled: false });
      await pushRules.setEnabled(user, 'underride', '.m.rule.message', { enabled: true });
      const actions = [...highlight, { set_tweak: 'sound', value: 'default' }];
      return pushRules.setActions(user, 'override', '.m.rule.is_user_mention', { actions });
    }
  }
}

const runs = (db: Database, sqlite: number, postgres: number) => ({
  numRuns: db.kind === 'sqlite' ? sqlite : postgres,
  ...(process.env['FC_SEED'] !== undefined && { seed: Number(process.env['FC_SEED']) }),
});

onBothEngines('counts are those of a recount, whatever is sent, read and redacted', async (db) => {
  const property = fc.asyncProperty(fc.array(plainSteps, { minLength: 5, maxLength: 30 }), (steps) => play(db, steps));
  await fc.assert(property, runs(db, 40, 10));
});

onBothEngines('changes of rules, ignoring and leaving count from then on, and nothing anew', async (db) => {
  const property = fc.asyncProperty(fc.array(allSteps, { minLength: 5, maxLength: 40 }), (steps) => play(db, steps));
  await fc.assert(property, runs(db, 60, 12));
});
