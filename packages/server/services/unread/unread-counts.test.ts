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
import { nothingUnread, unreadCounts } from './unread-counts.ts';
import {
  users,
  mayNotify,
  type Step,
  plainSteps,
  allSteps,
  createModel,
  eventOf,
} from '@portico/testkit/unread-model.ts';

// oxfmt-ignore

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
