import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { createDice } from '@portico/testkit/dice.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';

/*
 * Random worlds of people who invite each other and change their rules; after everything that happens: is every invitation
 * shown that may be, and none that is ignored, at whichever exit? INVITE_SEED and INVITE_WORLDS choose other and more worlds.
 */
const seed = Number(process.env['INVITE_SEED'] ?? 1);
const count = Number(process.env['INVITE_WORLDS'] ?? 3);
const actionsPerWorld = 15;
const v3 = '/_matrix/client/v3';
const types = ['m.invite_permission_config', 'org.matrix.msc4155.invite_permission_config'] as const;
const kinds = ['allowed', 'ignored', 'blocked'] as const;

type Rules = {
  readonly enabled?: boolean;
  readonly default_action?: string;
  readonly [list: string]: unknown;
};
type Person = {
  readonly client: TestClient;
  readonly rules: Map<string, Rules>;
  ignored: readonly string[];
  changes: number;
};
type Invite = {
  readonly roomId: string;
  readonly by: Person;
  readonly to: Person;
  /** How often the rules had been changed, and what they said. */
  readonly asOf: number;
  readonly wasIgnored: boolean;
  isPending: boolean;
};

const matches = (patterns: readonly string[], text: string): boolean =>
  patterns.some((pattern) => {
    const expression = pattern
      .replaceAll(/[.+^$(){}|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${expression}$`).test(text);
  });

/** The rules, read literally. */
function decide({ rules, ignored }: Person, inviter: string): 'allow' | 'ignore' | 'block' {
  if (ignored.includes(inviter)) return 'ignore';
  const all = [...rules.values()];
  for (const [what, text] of [
    ['users', inviter],
    ['servers', inviter.slice(inviter.indexOf(':') + 1)],
  ] as const) {
    for (const kind of kinds) {
      const lists = all.filter(({ enabled }) => enabled !== false).map((each) => each[`${kind}_${what}`] ?? []);
      if (!matches(lists.flat() as string[], text)) continue;
      if (kind === 'allowed') return 'allow';
      return kind === 'ignored' ? 'ignore' : 'block';
    }
  }
  return all.some((each) => each.default_action === 'block') ? 'block' : 'allow';
}

const server = await startTestServer();
after(() => server.close());

async function ok(response: Promise<{ status: number; body: Readonly<Record<string, unknown>> }>) {
  const { status, body } = await response;
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** All that somebody is shown: each exit by name, as text. */
async function exitsOf(client: TestClient, token: string | undefined) {
  const initial = await ok(client.get(`${v3}/sync?timeout=0`));
  const since = token ?? String(initial['next_batch']);
  const incremental = await ok(client.get(`${v3}/sync?timeout=0&since=${since}`));
  const lists = { all: { ranges: [[0, 100]], required_state: [['*', '*']], timeline_limit: 10 } };
  const sliding = await ok(
    client.post('/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?timeout=0', {
      conn_id: randomUUID(),
      lists,
    }),
  );
  const { invite = {} } = (initial['rooms'] ?? {}) as { invite?: Record<string, unknown> };
  return {
    next: String(incremental['next_batch']),
    invited: Object.keys(invite),
    incremental: JSON.stringify(incremental),
    others: {
      initial: JSON.stringify(initial),
      sliding: JSON.stringify(sliding),
      notifications: JSON.stringify(await ok(client.get(`${v3}/notifications`))),
      joined: JSON.stringify(await ok(client.get(`${v3}/joined_rooms`))),
    },
  };
}

test(`ignored invitations are nowhere to be seen, and others are: ${count} worlds`, async () => {
  for (let index = 0; index < count; index++) {
    const dice = createDice(seed * 1_000_003 + index);
    const pick = <T>(list: readonly T[]): T => list[dice(list.length)] as T;
    const people: Person[] = [];
    for (let number = 0; number < 3; number++) {
      people.push({ client: await server.registerUser(), rules: new Map(), ignored: [], changes: 0 });
    }
    const invites: Invite[] = [];
    const tokens = new Map<Person, string>();
    const done: string[] = [];
    const ids = people.map(({ client }) => client.userId);
    const list = () =>
      Array.from({ length: dice(3) }, () => pick([...ids, '@*:localhost', '*', '@nobody:*', ids[0] ?? '']));
    const hosts = () => Array.from({ length: dice(2) }, () => pick(['localhost', 'local?ost', 'else.where', '*']));

    async function act(): Promise<string> {
      const person = pick(people);
      const { client } = person;
      const data = `${v3}/user/${client.userId}/account_data`;
      switch (pick(['invite', 'invite', 'invite', 'rules', 'rules', 'ignore', 'take back', 'decline'])) {
        case 'rules': {
          const type = pick(types);
          const rules: Record<string, unknown> = dice(5) === 0 ? { enabled: false } : {};
          for (const kind of kinds) {
            if (dice(3) === 0) rules[`${kind}_users`] = list();
            if (dice(4) === 0) rules[`${kind}_servers`] = hosts();
          }
          if (dice(5) === 0) rules['default_action'] = 'block';
          await ok(client.put(`${data}/${type}`, rules));
          person.rules.set(type, rules);
          person.changes += 1;
          return `${client.userId} sets ${type} to ${JSON.stringify(rules)}`;
        }
        case 'ignore': {
          person.ignored = ids.filter((id) => id !== client.userId && dice(3) === 0);
          const ignored_users = Object.fromEntries(person.ignored.map((id) => [id, {}]));
          await ok(client.put(`${data}/m.ignored_user_list`, { ignored_users }));
          person.changes += 1;
          return `${client.userId} ignores ${person.ignored.join()}`;
        }
        case 'take back':
        case 'decline': {
          const invite = invites.find(({ isPending, to }) => isPending && (to === person || dice(2) === 0));
          if (invite === undefined) return 'nothing';
          const room = `${v3}/rooms/${encodeURIComponent(invite.roomId)}`;
          const isOwn = dice(2) === 0;
          await ok(
            isOwn
              ? invite.to.client.post(`${room}/leave`, {})
              : invite.by.client.post(`${room}/kick`, { user_id: invite.to.client.userId }),
          );
          invite.isPending = false;
          // Who declines what they do not see knows of it.
          if (isOwn) invites.splice(invites.indexOf(invite), 1);
          return `the invitation to ${invite.roomId} is ${isOwn ? 'declined' : 'taken back'}`;
        }
        default: {
          const to = pick(people.filter((other) => other !== person));
          const roomId = String((await ok(client.post(`${v3}/createRoom`, {})))['room_id']);
          const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
          const decision = decide(to, client.userId);
          const { status } = await client.post(`${room}/invite`, { user_id: to.client.userId });
          const what = `${client.userId} invites ${to.client.userId} to ${roomId}`;
          assert.equal(status, decision === 'block' ? 403 : 200, `${what}: ${decision}`);
          const asOf = to.changes;
          if (status === 200) {
            invites.push({ roomId, by: person, to, asOf, wasIgnored: decision === 'ignore', isPending: true });
          }
          return what;
        }
      }
    }

    async function check(): Promise<void> {
      for (const person of people) {
        const mine = invites.filter(({ to }) => to === person);
        const exits = await exitsOf(person.client, tokens.get(person));
        tokens.set(person, exits.next);
        const isShown = ({ by, isPending }: Invite) => isPending && decide(person, by.client.userId) === 'allow';
        const shown = mine.filter(isShown).map(({ roomId }) => roomId);
        assert.deepEqual(exits.invited.toSorted(), shown.toSorted(), `what ${person.client.userId} is invited to`);
        for (const invite of mine) {
          const what = `${invite.roomId}, to which ${invite.by.client.userId} invites ${person.client.userId}`;
          if (isShown(invite)) {
            assert.ok(exits.others.sliding.includes(invite.roomId), `${what}, is not in sliding sync`);
            continue;
          }
          for (const [exit, text] of Object.entries(exits.others)) {
            if (exit === 'notifications' && !invite.wasIgnored) continue;
            assert.ok(!text.includes(invite.roomId), `${what}, is in ${exit}`);
          }
          // If the rules have changed since, a client may have it on its screen, and hears that it is gone.
          if (!invite.wasIgnored || invite.asOf !== person.changes) continue;
          assert.ok(!exits.incremental.includes(invite.roomId), `${what}, is in an incremental answer`);
        }
      }
    }

    try {
      for (let step = 0; step < actionsPerWorld; step++) {
        done.push(await act());
        if (dice(3) > 0) await check();
      }
      await check();
    } catch (error) {
      throw new Error(`world ${index} of seed ${seed}, after\n  ${done.join('\n  ')}\n${String(error)}`, {
        cause: error,
      });
    }
  }
  assert.deepEqual(server.errors, []);
});
