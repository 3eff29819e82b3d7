import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorise,
  checkAuthEvents,
  findRoomVersion,
  ruleCatalogue,
  type AuthDecision,
  type RoomVersionRules,
  type RuleCode,
} from '@portico/protocol';
import { readAuthCases, toEvent, type AuthCase } from './auth-cases.ts';

function decide(rules: RoomVersionRules, vector: AuthCase): AuthDecision {
  const event = toEvent(rules, vector.event);
  if (vector.authEvents !== undefined) {
    return checkAuthEvents(
      rules,
      event,
      vector.authEvents.map((authEvent) => toEvent(rules, authEvent)),
    );
  }
  const state = vector.state.map((entry) => toEvent(rules, entry));
  const get = (type: string, stateKey: string) =>
    state.find((entry) => entry.type === type && entry.stateKey === stateKey);
  const { signedBy } = vector;
  return authorise(rules, event, { get }, signedBy && ((server) => signedBy.includes(server)));
}

const cases = readAuthCases();

for (const vector of cases) {
  test(`${vector.file}: ${vector.name} (versions ${vector.roomVersions.join(', ')})`, () => {
    for (const version of vector.roomVersions) {
      const rules = findRoomVersion(version);
      assert.ok(rules);
      const decision = decide(rules, vector);
      const code = decision.kind === 'reject' ? decision.rule : 'allowed';
      assert.equal(code, vector.allowed ? 'allowed' : vector.rule, `in version ${version}`);
    }
  });
}

test('every rule has an event that it allows and one that it refuses, in every version in which it changed', () => {
  const covered = new Set(
    cases.flatMap(({ rule, roomVersions, allowed }) => roomVersions.map((version) => `${rule} ${version} ${allowed}`)),
  );
  const missing = (Object.keys(ruleCatalogue) as RuleCode[]).flatMap((rule) =>
    ruleCatalogue[rule].changedIn
      .flatMap((version) => [`${rule} ${version} true`, `${rule} ${version} false`])
      .filter((combination) => !covered.has(combination)),
  );
  assert.deepEqual(missing, []);
});

test('no vector names a rule where the version has none', () => {
  const misplaced = cases.flatMap(({ name, rule, roomVersions }) =>
    roomVersions
      .filter((version) => {
        const { changedIn, ...more } = ruleCatalogue[rule];
        return Number(version) < Number(changedIn[0]) || ('until' in more && Number(version) > Number(more.until));
      })
      .map((version) => `${name} (${rule} in version ${version})`),
  );
  assert.deepEqual(misplaced, []);
});
