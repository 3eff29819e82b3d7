import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf, type TestClient } from '@portico/testkit/test-client.ts';

const base = '/_matrix/client/v3/pushrules';
const rule = (kind: string, id: string, rest = ''): string => `${base}/global/${kind}/${encodeURIComponent(id)}${rest}`;

type Rule = {
  readonly rule_id: string;
  readonly enabled: boolean;
  readonly actions: unknown;
  readonly default: boolean;
};
type Ruleset = { readonly [kind: string]: readonly Rule[] };

describe('push rules', () => {
  const server = serverOfSuite();
  let alice: TestClient;
  before(async () => {
    alice = await server.registerUser();
  });

  const ids = async (kind: string): Promise<string[]> => {
    const { global } = (await alice.get(`${base}/`)).body as { global: Ruleset };
    return (global[kind] ?? []).map((found) => found.rule_id);
  };

  test('everyone has the default rules, with their own name in them', async () => {
    const all = await alice.get(`${base}/`);
    const global = await alice.get(`${base}/global/`);
    assert.deepEqual(all.body['global'], global.body);
    assert.deepEqual((await alice.get(base)).body, all.body);
    assert.deepEqual(Object.keys(global.body).toSorted(), [
      'content',
      'override',
      'postcontent',
      'room',
      'sender',
      'underride',
    ]);
    const mention = await alice.get(rule('override', '.m.rule.is_user_mention'));
    assert.deepEqual(mention.body['conditions'], [
      { kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: alice.userId },
    ]);
  });

  test('rules are made, read, ordered, changed and deleted', async () => {
    const body = { pattern: 'cake', actions: ['dont_notify'] };
    assert.equal((await alice.put(rule('content', 'cake'), body)).status, 200);
    assert.equal((await alice.put(rule('content', 'tea'), { ...body, pattern: 'tea' })).status, 200);
    assert.equal((await alice.put(`${rule('content', 'pie')}?after=tea`, body)).status, 200);
    assert.deepEqual(await ids('content'), ['tea', 'pie', 'cake']);
    assert.deepEqual((await alice.get(rule('content', 'cake'))).body, {
      rule_id: 'cake',
      default: false,
      enabled: true,
      ...body,
    });

    assert.equal((await alice.put(rule('content', 'tea', '/enabled'), { enabled: false })).status, 200);
    assert.deepEqual((await alice.get(rule('content', 'tea', '/enabled'))).body, { enabled: false });
    const actions = ['notify', { set_tweak: 'sound', value: 'bell' }];
    assert.equal((await alice.put(rule('content', 'tea', '/actions'), { actions })).status, 200);
    assert.deepEqual((await alice.get(rule('content', 'tea', '/actions'))).body, { actions });

    const { body: all } = await alice.get(`${base}/global/`);
    assert.deepEqual((await alice.get(`${base}/global/content/`)).body, all['content']);
    assert.equal(refusalOf(await alice.get(`${base}/global/none/`)), '400 M_INVALID_PARAM');

    assert.equal((await alice.delete(rule('content', 'tea'))).status, 200);
    assert.deepEqual(await ids('content'), ['pie', 'cake']);
    assert.equal(refusalOf(await alice.get(rule('content', 'tea'))), '404 M_NOT_FOUND');
  });

  test('many are changed at the same moment, as clients do', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `word-${index}`);
    const body = { pattern: 'x', actions: ['notify'] };
    const answers = await Promise.all(names.map((name) => alice.put(rule('content', name), body)));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
    assert.deepEqual((await ids('content')).filter((id) => id.startsWith('word-')).toSorted(), names.toSorted());
    await Promise.all(names.map((name) => alice.delete(rule('content', name))));
  });

  test('rules about threads are there, off, and nobody’s own', async () => {
    const path = rule('postcontent', '.io.element.msc4306.rule.unsubscribed_thread');
    const { body } = await alice.get(path);
    assert.deepEqual([body['enabled'], body['default'], body['actions']], [false, true, []]);
    assert.deepEqual(body['conditions'], [{ kind: 'io.element.msc4306.thread_subscription', subscribed: false }]);
    assert.equal((await alice.put(`${path}/enabled`, { enabled: true })).status, 200);
    assert.equal((await alice.get(path)).body['enabled'], true);
    await alice.put(`${path}/enabled`, { enabled: false });
    const own = await alice.put(rule('postcontent', 'own'), { actions: [], conditions: [] });
    assert.equal(refusalOf(own), '400 M_INVALID_PARAM');
  });

  test('the rule about all that is encrypted comes right after the one that silences everything, and is off', async () => {
    const path = rule('override', '.org.matrix.msc4028.encrypted_event');
    assert.deepEqual((await ids('override')).slice(0, 2), ['.m.rule.master', '.org.matrix.msc4028.encrypted_event']);
    const { body } = await alice.get(path);
    assert.deepEqual([body['enabled'], body['default'], body['actions']], [false, true, ['notify']]);
    assert.equal((await alice.put(`${path}/enabled`, { enabled: true })).status, 200);
    assert.equal((await alice.get(path)).body['enabled'], true);
    await alice.put(`${path}/enabled`, { enabled: false });
  });

  test('default rules are changed but neither made nor deleted', async () => {
    const path = rule('underride', '.m.rule.call');
    assert.equal((await alice.put(`${path}/enabled`, { enabled: false })).status, 200);
    assert.equal((await alice.put(`${path}/actions`, { actions: [] })).status, 200);
    const { body } = await alice.get(path);
    assert.deepEqual([body['enabled'], body['actions'], body['default']], [false, [], true]);
    assert.equal(refusalOf(await alice.put(path, { actions: [] })), '400 M_INVALID_PARAM');
    assert.equal(refusalOf(await alice.delete(path)), '404 M_NOT_FOUND');
  });

  test('what is no rule is refused', async () => {
    const refusals: [string, object, string][] = [
      [rule('content', '.cake'), { pattern: 'x', actions: [] }, '400 M_INVALID_PARAM'],
      [rule('content', 'a/b'), { pattern: 'x', actions: [] }, '400 M_INVALID_PARAM'],
      [rule('content', 'a\\b'), { pattern: 'x', actions: [] }, '400 M_INVALID_PARAM'],
      [rule('content', 'x'), { actions: [] }, '400 M_MISSING_PARAM'],
      [rule('content', 'x'), { pattern: 'x' }, '400 M_MISSING_PARAM'],
      [rule('content', 'x'), { pattern: 'x', actions: 'notify' }, '400 M_INVALID_PARAM'],
      [rule('override', 'x'), { actions: [], conditions: [1] }, '400 M_INVALID_PARAM'],
      [rule('postcontent', 'x'), { actions: [] }, '400 M_INVALID_PARAM'],
      [`${rule('room', '!x:y')}?before=nothing`, { actions: [] }, '400 M_UNKNOWN'],
      [`${rule('override', 'x')}?before=.m.rule.reaction`, { actions: [] }, '400 M_UNKNOWN'],
      [rule('room', '!none:here', '/enabled'), { enabled: true }, '404 M_NOT_FOUND'],
      [rule('room', '!none:here', '/actions'), { actions: [] }, '404 M_NOT_FOUND'],
      [rule('override', '.m.rule.master', '/enabled'), {}, '400 M_MISSING_PARAM'],
      [rule('override', '.m.rule.master', '/enabled'), { enabled: 1 }, '400 M_INVALID_PARAM'],
      [rule('override', '.m.rule.master', '/actions'), {}, '400 M_MISSING_PARAM'],
      [rule('override', '.m.rule.master', '/actions'), { actions: [1] }, '400 M_INVALID_PARAM'],
    ];
    for (const [path, body, expected] of refusals) {
      assert.equal(refusalOf(await alice.put(path, body)), expected, `${path} ${JSON.stringify(body)}`);
    }
    assert.equal(refusalOf(await alice.get(rule('postcontent', 'x'))), '404 M_NOT_FOUND');
    assert.equal(refusalOf(await alice.delete(rule('postcontent', 'x'))), '404 M_NOT_FOUND');
  });

  test('devices that change rules at the same moment lose nothing of each other', async () => {
    const bob = await server.registerUser();
    const names = ['a', 'b', 'c', 'd'];
    const answers = await Promise.all(names.map((name) => bob.put(rule('room', `!${name}:here`), { actions: [] })));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200],
    );
    const { global } = (await bob.get(`${base}/`)).body as { global: Ruleset };
    assert.equal(global['room']?.length, 4);
  });

  test('nobody has rules without end', async () => {
    const bob = await server.registerUser();
    const conditions = Array.from({ length: 101 }, () => ({ kind: 'event_match', key: 'type', pattern: 'a*b' }));
    assert.equal(
      refusalOf(await bob.put(rule('override', 'x'), { actions: [], conditions })),
      '403 M_USER_LIMIT_EXCEEDED',
    );
    const long = { kind: 'x'.repeat(62_000) };
    for (const id of ['x', 'y']) {
      assert.equal((await bob.put(rule('override', id), { actions: [], conditions: [long] })).status, 200);
    }
    assert.equal(
      refusalOf(await bob.put(rule('override', 'z'), { actions: [], conditions: [long] })),
      '403 M_USER_LIMIT_EXCEEDED',
    );
  });

  test('a change wakes a waiting sync', async () => {
    const bob = createSyncClient(await server.registerUser());
    const { next_batch: since } = await bob.sync();
    const waiting = bob.sync({ since, timeout: 20_000 });
    await bob.http.put(rule('room', '!foo:here'), { actions: ['notify'] });
    const { account_data: data } = await waiting;
    const event = data?.events.find(({ type }) => type === 'm.push_rules');
    const global = event?.content['global'] as Ruleset | undefined;
    assert.deepEqual(
      global?.['room']?.map((found) => found.rule_id),
      ['!foo:here'],
    );
  });
});
