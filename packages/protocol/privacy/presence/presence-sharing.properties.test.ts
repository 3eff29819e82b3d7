import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { compileGlob } from '../../glob.ts';
import type { JsonValue } from '../../json/value.ts';
import { runSteps, stepSize } from '../../steps.ts';
import { decidePresence } from './decide.ts';
import { canMatchServer } from './glob-reach.ts';
import { isMeant, parseInboundList } from './inbound-list.ts';
import { matchRecipient, matchSteps } from './match-recipient.ts';
import { openPolicy, type PresencePolicy } from './policy.ts';
import { namedRecipientSteps, namedServers, recipientSteps, recipientsPerEntry } from './recipients.ts';
import { parsePresenceSharing, presenceSharingSteps, withoutRooms } from './sharing.ts';

const runs = { numRuns: Number(process.env.PROPERTY_RUNS ?? 2000) };
const servers = ['a', 'b', 'b:80'];
const people = servers.flatMap((server) => [`@u:${server}`, `@v:${server}`, `@uu:${server}`]);
const rooms = ['!r:a', '!s:a', '!t:b'];
const globs = ['*', '@*:b', '@u*:a', '@?:b', '*:80', '@*:*', '@u:?', '@v*b'];
const nonsense: JsonValue[] = [1, null, {}, 'u', '@u', '#u:a', '!r', '!*:a', ''];
const entry = fc.constantFrom<JsonValue>(...people, ...rooms, ...globs, ...nonsense);
const list = fc.array(entry, { maxLength: 4 });
const config = fc.record({ allowed_users: list, denied_users: list }, { requiredKeys: [] });
const person = fc.constantFrom(...people);

function policyOf(content: object, overrides: object = {}): PresencePolicy {
  const server = parsePresenceSharing({ ...overrides });
  assert.ok(server.kind === 'lists');
  return { source: 'own', own: parsePresenceSharing({ ...content }), overrides: server };
}

const names = (list: JsonValue[] | undefined, user: string) =>
  (list ?? []).some((entry) => typeof entry === 'string' && entry[0] !== '!' && compileGlob(entry)(user));

test('the decision is what the proposal says, read literally', () => {
  const property = fc.property(
    config,
    person,
    fc.subarray(rooms),
    fc.boolean(),
    (content, user, sharedRooms, isIgnored) => {
      const { allowed_users: allowed, denied_users: denied } = content;
      const unless = isIgnored || names(denied, user);
      const expected =
        names(allowed, user) ||
        (!unless && sharedRooms.some((room) => allowed?.includes(room))) ||
        (!unless && sharedRooms.some((room) => denied?.includes(room) !== true));
      const policy = policyOf(content);
      const decision = decidePresence(policy, matchRecipient(policy, user), { isSelf: false, isIgnored, sharedRooms });
      assert.equal(decision.allowed, expected, decision.rule);
    },
  );
  fc.assert(property, runs);
});

test('overrides only take away', () => {
  const property = fc.property(
    config,
    config,
    person,
    fc.subarray(rooms),
    fc.boolean(),
    (content, overrides, user, sharedRooms, isIgnored) => {
      const decide = (policy: PresencePolicy) =>
        decidePresence(policy, matchRecipient(policy, user), { isSelf: false, isIgnored, sharedRooms }).allowed;
      assert.ok(decide(policyOf(content)) || !decide(policyOf(content, overrides)));
      assert.ok(decide(openPolicy) || !decide({ ...openPolicy, overrides: policyOf({}, overrides).overrides }));
    },
  );
  fc.assert(property, runs);
});

const namedIn = (policy: PresencePolicy, server: string) => runSteps(namedRecipientSteps(policy, server));

/** As `services/presence/federation/reach.ts` puts a list together, from those who share rooms and those who are named. */
function listFor(policy: PresencePolicy, server: string, roomsOf: ReadonlyMap<string, readonly string[]>) {
  const isAllowed = (user: string) => {
    const facts = { isSelf: false, isIgnored: false, sharedRooms: roomsOf.get(user) ?? [] };
    return decidePresence(policy, matchRecipient(policy, user), facts).allowed;
  };
  const { globs: sent, users } = namedIn(policy, server);
  const members = [...roomsOf.keys()].filter((user) => user.slice(user.indexOf(':') + 1) === server);
  return runSteps(recipientSteps({ globs: sent, users: users.filter(isAllowed) }, members.filter(isAllowed)));
}

test('a list for a server reaches exactly those there whom the policy allows', () => {
  const property = fc.property(
    config,
    config,
    fc.constantFrom(...servers),
    fc.array(fc.tuple(person, fc.subarray(rooms, { minLength: 1 }))),
    (content, overrides, server, entries) => {
      const policy = policyOf(content, overrides);
      const roomsOf = new Map(entries);
      const recipients = listFor(policy, server, roomsOf);
      assert.ok(recipients.kind !== 'everyone');
      const listed = recipients.kind === 'listed' ? parseInboundList([...recipients.recipients], server) : undefined;
      for (const user of people.filter((each) => each.slice(each.indexOf(':') + 1) === server)) {
        const sharedRooms = roomsOf.get(user) ?? [];
        const facts = { isSelf: false, isIgnored: false, sharedRooms };
        const { allowed, by } = decidePresence(policy, matchRecipient(policy, user), facts);
        // Who shares no room is reached by name alone.
        const expected = allowed && (sharedRooms.length > 0 || by === user);
        assert.equal(listed !== undefined && isMeant(listed, user, sharedRooms.length > 0), expected, user);
      }
      if (listed?.kind === 'listed') {
        for (const user of listed.users)
          assert.ok(roomsOf.has(user) || [...namedServers(policy)].includes(server), user);
      }
    },
  );
  fc.assert(property, runs);
});

test('a glob can match a server if it matches somebody there', () => {
  const unit = fc.constantFrom('@', ':', '*', '?', 'a', 'b');
  const local = fc.string({ unit: fc.constantFrom('a', 'b', '@'), maxLength: 3 });
  const property = fc.property(
    fc.string({ unit, maxLength: 7 }).filter((text) => /[*?]/.test(text)),
    local,
    fc.constantFrom('a', 'b', 'ab', 'a:8'),
    (glob, localpart, server) => {
      if (compileGlob(glob)(`@${localpart}:${server}`)) assert.ok(canMatchServer(glob, server));
    },
  );
  fc.assert(property, runs);
});

test('leaving a room takes it out of both lists, and nothing else', () => {
  const property = fc.property(config, fc.constantFrom(...rooms), (content, room) => {
    const json = { other: 1, ...content } as Record<string, JsonValue>;
    const changed = withoutRooms(json, new Set([room]));
    const isNamed = [content.allowed_users, content.denied_users].some((list) => list?.includes(room));
    assert.equal(changed !== undefined, isNamed);
    if (changed === undefined) return;
    const strip = (list: JsonValue[] | undefined) => list?.filter((entry) => entry !== room);
    const { allowed_users: allowed, denied_users: denied } = content;
    assert.deepEqual(changed, {
      other: 1,
      ...(allowed && { allowed_users: strip(allowed) }),
      ...(denied && { denied_users: strip(denied) }),
    });
  });
  fc.assert(property, runs);
});

test('what other servers send is for whom it names, and for nobody if it is malformed', () => {
  const all = { kind: 'everyone' };
  for (const value of [undefined, null, []]) assert.deepEqual(parseInboundList(value, 'a'), all);
  for (const value of ['@u:a', {}, 1, true, ['@u:a', 1], [null], Array<string>(10_001).fill('@u:a')]) {
    const list = parseInboundList(value, 'a');
    assert.equal(isMeant(list, '@u:a', true), false, JSON.stringify(value));
  }
  const list = parseInboundList(['@u:a', '@v*:a', '@x:b'], 'a');
  assert.deepEqual(
    ['@u:a', '@v:a', '@x:a', '@x:b'].map((user) => [isMeant(list, user, true), isMeant(list, user, false)]),
    [
      [true, true],
      [true, false],
      [false, false],
      [false, false],
    ],
  );
  const globs = Array.from({ length: recipientsPerEntry + 1 }, (_, index) => `@u${index}*:a`);
  assert.equal(isMeant(parseInboundList(globs, 'a'), '@u1:a', true), false);
});

test('more globs than fit into an entry are not sent', () => {
  const many = Array.from({ length: recipientsPerEntry + 1 }, (_, index) => `@u${index}*:a`);
  assert.equal(namedIn(policyOf({ allowed_users: many.slice(1) }), 'a').globs.length, recipientsPerEntry);
  assert.equal(namedIn(policyOf({ allowed_users: many }), 'a').globs.length, 0);
});

const mebibyte = 1024 * 1024;
const fillings: Readonly<Record<string, (index: number) => JsonValue>> = {
  names: (index) => `@user${index}:server${index % 999}.example`,
  'globs of no server': (index) => `@*${index.toString(36)}*:*`,
  'globs that could match': (index) =>
    `@*${index.toString(2).padStart(20, '0').replaceAll('0', '_*').replaceAll('1', '_?')}x*`,
  rooms: (index) => `!room${index}:a.example`,
  numbers: () => 1,
  'empty lists': () => [],
};
for (const [what, make] of Object.entries(fillings)) {
  test(`the largest configuration is read and asked in small steps: ${what}`, () => {
    const entries: JsonValue[] = [];
    for (let size = 0; size < mebibyte; size += JSON.stringify(entries.at(-1)).length + 1) {
      entries.push(make(entries.length));
    }
    const work = entries.reduce<number>((sum, entry) => sum + (typeof entry === 'string' ? entry.length : 1), 0);
    /** One more entry than fits may come into a step. */
    const fewest = Math.floor(work / (stepSize + 512));
    const [parsing, own] = countSteps(presenceSharingSteps({ allowed_users: entries, denied_users: entries }));
    assert.ok(parsing >= 2 * fewest, `${parsing} steps of parsing`);
    assert.ok(own.kind === 'lists');
    const globs = own.allowed.globs.all.reduce((sum, glob) => sum + glob.length, 0);
    const [matching] = countSteps(matchSteps({ ...openPolicy, own }, `@${'_'.repeat(200)}:a.example`));
    const [reaching] = countSteps(namedRecipientSteps({ ...openPolicy, own }, 'a.example'));
    if (what === 'globs that could match') assert.ok(matching > 2 * Math.floor(globs / (stepSize + 512)));
    else assert.ok(matching < 5, `${matching} steps of matching`);
    assert.ok(reaching <= 2, `${reaching} steps for a server`);
  });
}

function countSteps<T>(steps: Generator<void, T, void>): readonly [number, T] {
  for (let count = 1; ; count++) {
    const { done, value } = steps.next();
    if (done === true) return [count, value];
  }
}
