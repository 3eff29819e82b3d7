import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient, type SyncClient } from '@portico/testkit/sync-client.ts';
import { refusalOf } from '@portico/testkit/test-client.ts';

const v1 = '/_matrix/client/v1';

type Child = { readonly state_key: string; readonly [field: string]: unknown };
type Room = { readonly room_id: string; readonly children_state: readonly Child[]; readonly [field: string]: unknown };

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`spaces (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let alice: SyncClient;
    let bob: SyncClient;
    before(async () => {
      alice = createSyncClient(await server.registerUser());
      bob = createSyncClient(await server.registerUser());
    });

    const space = (more: object = {}) =>
      alice.createRoom({ preset: 'public_chat', creation_content: { type: 'm.space' }, ...more });
    const link = (parent: string, child: string, content: object = { via: ['localhost'] }) =>
      alice.setState(parent, 'm.space.child', content, child);
    const ask = (who: SyncClient, roomId: string, query = '') =>
      who.http.get(`${v1}/rooms/${encodeURIComponent(roomId)}/hierarchy${query}`);
    const rooms = async (who: SyncClient, roomId: string, query = '') => {
      const { status, body } = await ask(who, roomId, query);
      assert.equal(status, 200, JSON.stringify(body));
      return body['rooms'] as readonly Room[];
    };
    const ids = (list: readonly Room[]) => list.map((room) => room.room_id);
    const children = (list: readonly Room[], roomId: string) =>
      list.find((room) => room.room_id === roomId)?.children_state.map((child) => child.state_key);

    /** A tree of which the links are made one after the other. */
    async function tree() {
      const root = await space({ name: 'Root' });
      const one = await alice.createRoom({ preset: 'public_chat', name: 'One' });
      const inner = await space({ name: 'Inner', topic: 'Some topic' });
      const two = await bob.createRoom({ preset: 'public_chat', name: 'Two' });
      const innermost = await space();
      const three = await alice.createRoom({ preset: 'public_chat' });
      const four = await bob.createRoom({ preset: 'public_chat' });
      await link(root, one, { via: ['localhost'], suggested: true });
      await link(root, inner);
      await link(root, two, { via: ['localhost'], suggested: true });
      await link(inner, innermost);
      await link(innermost, three);
      await link(innermost, four);
      // A way back to the top, and a second one to the bottom.
      await link(innermost, root);
      await link(inner, three);
      return { root, one, inner, two, innermost, three, four };
    }

    test('the whole tree, depth first, each room once', async () => {
      const { root, one, inner, two, innermost, three, four } = await tree();
      const found = await rooms(alice, root);
      assert.deepEqual(ids(found), [root, one, inner, innermost, three, four, two]);
      assert.deepEqual(children(found, root), [one, inner, two]);
      assert.deepEqual(children(found, innermost), [three, four, root]);
      assert.deepEqual(children(found, one), []);
      const [link1] = found[0]?.children_state ?? [];
      assert.deepEqual(
        { ...link1, origin_server_ts: 0 },
        {
          content: { suggested: true, via: ['localhost'] },
          origin_server_ts: 0,
          sender: alice.userId,
          state_key: one,
          type: 'm.space.child',
        },
      );
      assert.deepEqual(
        { ...found[2], children_state: [] },
        {
          room_id: inner,
          name: 'Inner',
          topic: 'Some topic',
          num_joined_members: 1,
          world_readable: false,
          guest_can_join: false,
          join_rule: 'public',
          room_type: 'm.space',
          room_version: '12',
          children_state: [],
        },
      );
    });

    test('no deeper, fewer, or only what is suggested', async () => {
      const { root, one, inner, two, innermost, three } = await tree();
      const shallow = await rooms(alice, root, '?max_depth=1');
      assert.deepEqual(ids(shallow), [root, one, inner, two]);
      assert.deepEqual(children(shallow, inner), [innermost, three]);
      assert.deepEqual(ids(await rooms(alice, root, '?max_depth=0')), [root]);
      const suggested = await rooms(alice, root, '?suggested_only=true');
      assert.deepEqual(ids(suggested), [root, one, two]);
      assert.deepEqual(children(suggested, root), [one, two]);
      await link(root, inner, {});
      assert.deepEqual(ids(await rooms(alice, root)), [root, one, two]);
    });

    test('no deeper than twenty, whatever is asked for', async () => {
      const chain = [await space()];
      for (let depth = 1; depth <= 22; depth++) {
        chain.push(await space());
        await link(chain[depth - 1] ?? '', chain[depth] ?? '');
      }
      for (const query of ['?limit=100', '?limit=100&max_depth=1000']) {
        assert.deepEqual(ids(await rooms(alice, chain[0] ?? '', query)), chain.slice(0, 21));
      }
    });

    test('pages fit together, even while the tree changes', async () => {
      const { root, one, inner, two, innermost, three, four } = await tree();
      const first = await ask(alice, root, '?limit=4');
      assert.deepEqual(ids(first.body['rooms'] as Room[]), [root, one, inner, innermost]);
      const from = String(first.body['next_batch']);
      await link(root, one, {});
      const second = await ask(alice, root, `?limit=2&from=${from}`);
      assert.deepEqual(ids(second.body['rooms'] as Room[]), [three, four]);
      const third = await ask(alice, root, `?from=${String(second.body['next_batch'])}`);
      assert.deepEqual([ids(third.body['rooms'] as Room[]), third.body['next_batch']], [[two], undefined]);
      const refusals = [
        'from=nonsense',
        `from=${from}&max_depth=1`,
        `from=${from}&suggested_only=true`,
        'limit=0',
        'max_depth=-1',
      ];
      for (const query of refusals)
        assert.equal(refusalOf(await ask(alice, root, `?${query}`)), '400 M_INVALID_PARAM', query);
    });

    test('children are in the order that the space gives them', async () => {
      const root = await space();
      const [a, b, c, d] = [await space(), await space(), await space(), await space()];
      await link(root, a);
      await link(root, b, { via: ['localhost'], order: 'z' });
      await link(root, c, { via: ['localhost'], order: 'a' });
      await link(root, d, { via: ['localhost'], order: 'x'.repeat(51) });
      assert.deepEqual(ids(await rooms(alice, root)), [root, c, b, a, d]);
    });

    test('what people may not know of is not there', async () => {
      const root = await space();
      const secret = await alice.createRoom({ preset: 'private_chat' });
      const hidden = await space({ preset: 'private_chat' });
      const open = await alice.createRoom({ preset: 'public_chat' });
      const inside = await alice.createRoom({ preset: 'private_chat' });
      const allow = [{ type: 'm.room_membership', room_id: root }];
      const restricted = await alice.createRoom({
        initial_state: [{ type: 'm.room.join_rules', content: { join_rule: 'restricted', allow } }],
      });
      for (const child of [secret, hidden, restricted]) await link(root, child);
      for (const child of [open, inside]) await link(hidden, child);
      assert.deepEqual(ids(await rooms(bob, root)), [root]);
      await bob.join(root);
      const joined = await rooms(bob, root);
      assert.deepEqual(ids(joined), [root, restricted]);
      assert.deepEqual(joined[1]?.['allowed_room_ids'], [root]);
      assert.deepEqual(children(joined, root), [secret, hidden, restricted]);
      await alice.invite(secret, bob.userId);
      await alice.invite(inside, bob.userId);
      assert.deepEqual(ids(await rooms(bob, root)), [root, secret, restricted]);
      await alice.invite(hidden, bob.userId);
      assert.deepEqual(ids(await rooms(bob, root)), [root, secret, hidden, open, inside, restricted]);
      await alice.ban(open, bob.userId);
      assert.ok(!ids(await rooms(bob, root)).includes(open));
      const stranger = createSyncClient(await server.registerUser());
      assert.equal(refusalOf(await ask(stranger, hidden)), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await ask(stranger, '!nowhere:localhost')), '403 M_FORBIDDEN');
    });

    test('a join rule that the version of a room does not have lets nobody know of it', async () => {
      const root = await space();
      await bob.join(root);
      const allow = [{ type: 'm.room_membership', room_id: root }];
      const child = async (version: string, rule: string) => {
        const content = { join_rule: rule, allow };
        const initial = [{ type: 'm.room.join_rules', content }];
        const roomId = await alice.createRoom({
          preset: 'private_chat',
          room_version: version,
          initial_state: initial,
        });
        await link(root, roomId);
        return roomId;
      };
      const knockedOn = [await child('7', 'knock'), await child('10', 'knock_restricted')];
      const restricted = await child('8', 'restricted');
      for (const [version, rule] of [
        ['6', 'knock'],
        ['7', 'restricted'],
        ['9', 'knock_restricted'],
      ] as const) {
        const roomId = await child(version, rule);
        const { status } = await bob.http.get(`${v1}/room_summary/${encodeURIComponent(roomId)}`);
        assert.equal(status, 404, `${rule} in version ${version}`);
      }
      assert.deepEqual(ids(await rooms(bob, root)), [root, ...knockedOn, restricted]);
    });

    test('the summary of a room, for who may know of it', async () => {
      const alias = `summary-${engine}`;
      const roomId = await space({
        name: 'Known',
        room_alias_name: alias,
        initial_state: [{ type: 'm.room.encryption', content: { algorithm: 'm.megolm.v1.aes-sha2' } }],
      });
      const expected = {
        room_id: roomId,
        name: 'Known',
        canonical_alias: `#${alias}:localhost`,
        num_joined_members: 1,
        world_readable: false,
        guest_can_join: false,
        join_rule: 'public',
        room_type: 'm.space',
        room_version: '12',
        encryption: 'm.megolm.v1.aes-sha2',
        'im.nheko.summary.room_version': '12',
        'im.nheko.summary.encryption': 'm.megolm.v1.aes-sha2',
      };
      const unstable = '/_matrix/client/unstable/im.nheko.summary';
      const paths = [
        `${v1}/room_summary/${encodeURIComponent(roomId)}`,
        `${v1}/room_summary/${encodeURIComponent(`#${alias}:localhost`)}?via=localhost&via=elsewhere.example`,
        `${unstable}/summary/${encodeURIComponent(roomId)}`,
        `${unstable}/rooms/${encodeURIComponent(roomId)}/summary`,
      ];
      for (const path of paths) {
        assert.deepEqual((await server.anonymous.get(path)).body, expected);
        assert.deepEqual((await alice.http.get(path)).body, { ...expected, membership: 'join' });
        assert.deepEqual((await bob.http.get(path)).body, { ...expected, membership: 'leave' });
      }
      await alice.setState(roomId, 'm.room.join_rules', { join_rule: 'invite' });
      const path = paths[0] ?? '';
      for (const who of [server.anonymous, bob.http]) assert.equal(refusalOf(await who.get(path)), '404 M_NOT_FOUND');
      const own = (await alice.http.get(path)).body;
      assert.deepEqual([own['join_rule'], own['allowed_room_ids']], ['invite', undefined]);
      assert.equal(refusalOf(await alice.http.get(`${v1}/room_summary/!nowhere:localhost`)), '404 M_NOT_FOUND');
      assert.equal(refusalOf(await alice.http.get(`${v1}/room_summary/nonsense`)), '404 M_NOT_FOUND');
    });
  });
}
