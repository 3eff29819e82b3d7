import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { compilePushRules, evaluatePush } from '@portico/protocol/push/compile-rules.ts';
import { compileCondition } from '@portico/protocol/push/conditions.ts';
import { effectiveRules, rulesInRoom } from '@portico/protocol/push/effective-rules.ts';
import type { PushContext, PushEvent } from '@portico/protocol/push/push-event.ts';
import type { PushCondition } from '@portico/protocol/push/rule.ts';
import { readPushRules } from '@portico/protocol/push/stored-rules.ts';
import { type Cases, readVectors } from './vector-file.ts';

type Event = {
  readonly type?: string;
  readonly sender?: string;
  readonly room_id?: string;
  readonly state_key?: string;
  readonly content?: JsonObject;
};

type Circumstances = {
  readonly memberCount?: number;
  readonly mayNotify?: readonly string[];
  readonly displayName?: string;
  readonly hasSubscribed?: boolean;
};

function subjectOf(event: Event): PushEvent {
  return {
    type: event.type ?? 'm.room.message',
    sender: event.sender ?? '@you:a.example',
    roomId: event.room_id ?? '!room:a.example',
    stateKey: event.state_key,
    content: event.content ?? {},
  };
}

function contextOf(userId: string, circumstances: Circumstances): PushContext {
  const { memberCount = 3, mayNotify = [], displayName, hasSubscribed } = circumstances;
  const mayNotifyOf = (key: string) => mayNotify.includes(key);
  return { userId, displayName, hasSubscribed, memberCount: () => memberCount, mayNotify: mayNotifyOf };
}

type RulesFile = Cases<
  Circumstances & {
    readonly name: string;
    readonly event: Event;
    readonly outcome: {
      readonly rule: string;
      readonly notify: boolean;
      readonly highlight: boolean;
      readonly sound: string | null;
    } | null;
  }
> & { readonly userId: string; readonly rules: JsonObject };

for (const file of ['push/default-rules.json', 'push/order.json']) {
  const { userId, rules, cases } = readVectors(file) as RulesFile;
  const effective = effectiveRules(readPushRules({ global: rules }));
  for (const { name, event, outcome, ...circumstances } of cases) {
    test(`${file}: ${name}`, () => {
      const subject = subjectOf(event);
      for (const ofRoom of [effective, rulesInRoom(effective, subject.roomId)]) {
        const found = evaluatePush(compilePushRules(ofRoom), subject, contextOf(userId, circumstances));
        const { ruleId: rule, notify, highlight, sound = null } = found ?? {};
        assert.deepEqual(found === undefined ? null : { rule, notify, highlight, sound }, outcome && { ...outcome });
      }
    });
  }
}

type ConditionsFile = Cases<{
  readonly name: string;
  readonly condition: PushCondition;
  readonly matches: readonly (Event & Circumstances)[];
  readonly fails: readonly (Event & Circumstances)[];
}> & { readonly userId: string };

const conditions = readVectors('push/conditions.json') as ConditionsFile;
for (const { name, condition, matches, fails } of conditions.cases) {
  test(`push/conditions.json: ${name}`, () => {
    const holds = compileCondition(condition);
    const tryOn = (given: Event & Circumstances): boolean =>
      holds(subjectOf(given), contextOf(conditions.userId, given));
    for (const given of matches) assert.equal(tryOn(given), true, `should match ${JSON.stringify(given)}`);
    for (const given of fails) assert.equal(tryOn(given), false, `should not match ${JSON.stringify(given)}`);
  });
}
