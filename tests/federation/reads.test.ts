import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { createRoom, say } from '@portico/testkit/people.ts';
import { openPair } from './people.ts';

const v3 = '/_matrix/client/v3';

const space = { creation_content: { type: 'm.space' } };

test('profiles of other servers’ people', async (context) => {
  const { network, alice, bob } = await openPair(context);
  const path = (rest = '') => `${v3}/profile/${encodeURIComponent(alice.userId)}${rest}`;
  assert.equal((await alice.put(path('/displayname'), { displayname: 'Alice Ö' })).status, 200);
  assert.deepEqual({ ...(await bob.get(path())).body }, { displayname: 'Alice Ö' });
  assert.deepEqual({ ...(await bob.get(path('/displayname'))).body }, { displayname: 'Alice Ö' });
  assert.equal((await bob.get(path('/avatar_url'))).status, 404);
  assert.equal((await bob.get(`${v3}/profile/@nobody:hs1`)).status, 404);
  assert.equal((await bob.get(`${v3}/profile/@a:unreachable.test`)).status, 502);

  await context.test('are kept for a moment', async () => {
    network.cut('hs1', 'hs2');
    assert.equal((await bob.get(path('/displayname'))).body['displayname'], 'Alice Ö');
    network.healAll();
  });
  await context.test('are asked for once at a time, and only what was asked for is shown', async () => {
    const peer = await openPeer(context, network, 'peer.test');
    peer.on('GET', '/_matrix/federation/v1/query/profile', () => ({
      body: { displayname: 'P', 'org.example.other': 1 },
    }));
    const uri = `${v3}/profile/@p:peer.test/displayname`;
    const answers = await Promise.all([1, 2, 3].map(() => bob.get(uri)));
    for (const { body } of answers) assert.deepEqual({ ...body }, { displayname: 'P' });
    assert.equal(peer.requests.filter((request) => request.includes('query/profile')).length, 1);
  });
  await context.test(
    'have no names or pictures that are no text, and are not longer than anybody may make one',
    async () => {
      const peer = await openPeer(context, network, 'odd.test');
      let fields: JsonObject = { displayname: 5, avatar_url: null, 'm.tz': ['x'], 'org.example.other': [1] };
      peer.on('GET', '/_matrix/federation/v1/query/profile', () => ({ body: fields }));
      const uri = (name: string) => `${v3}/profile/@${name}:odd.test`;
      assert.deepEqual({ ...(await bob.get(uri('a'))).body }, { 'org.example.other': [1] });
      assert.equal((await bob.get(`${uri('b')}/displayname`)).status, 404);
      fields = { displayname: 'P', 'org.example.other': 'x'.repeat(300 * 1024) };
      assert.equal((await bob.get(uri('c'))).status, 502);
    },
  );
  await context.test('are not passed on to third servers', async () => {
    const peer = await openPeer(context, network, 'asker.test');
    const ask = (query: string) => peer.send('hs2', 'GET', `/_matrix/federation/v1/query/profile?${query}`);
    assert.equal((await ask(`user_id=${encodeURIComponent(alice.userId)}`)).status, 404);
    const name = `${v3}/profile/${encodeURIComponent(bob.userId)}/displayname`;
    assert.equal((await bob.put(name, { displayname: 'bob' })).status, 200);
    const own = await ask(`user_id=${encodeURIComponent(bob.userId)}&field=displayname`);
    assert.deepEqual({ ...(own.body as object) }, { displayname: 'bob' });
  });
});

test('aliases of other servers', async (context) => {
  const { alice, bob } = await openPair(context);
  const roomId = await createRoom(alice, { room_alias_name: 'hers' });
  const find = (alias: string) => bob.get(`${v3}/directory/room/${encodeURIComponent(alias)}`);
  const { body } = await find('#hers:hs1');
  assert.deepEqual([body['room_id'], body['servers']], [roomId, ['hs1']]);
  assert.equal((await find('#nobodys:hs1')).status, 404);
  assert.equal((await find('#x:nowhere.test')).status, 502);
});

test('an alias of another server is a canonical one of the room that it leads to', async (context) => {
  const { alice, bob } = await openPair(context);
  const levels = { events: { 'm.room.canonical_alias': 0 } };
  const roomId = await createRoom(alice, { room_alias_name: 'hers', power_level_content_override: levels });
  await createRoom(alice, { room_alias_name: 'other' });
  const second = `${v3}/directory/room/${encodeURIComponent('#second:hs1')}`;
  assert.equal((await alice.put(second, { room_id: roomId })).status, 200);
  assert.equal((await bob.post(`${v3}/join/${encodeURIComponent('#hers:hs1')}`)).status, 200);
  const path = `${v3}/rooms/${encodeURIComponent(roomId)}/state/m.room`;
  const setAliases = async (aliases: readonly string[]) => {
    const { status, body } = await bob.put(`${path}.canonical_alias/`, { alt_aliases: aliases });
    return status === 200 ? 200 : `${status} ${String(body['errcode'])}`;
  };
  assert.equal(await setAliases(['#second:hs1', '#other:hs1']), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(['#nobodys:hs1']), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(['#x:nowhere.test']), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(Array.from({ length: 11 }, (_, index) => `#x${index}:hs1`)), '400 M_BAD_ALIAS');
  assert.equal(await setAliases(['#second:hs1']), 200);
});

test('directories of other servers', async (context) => {
  const { network, alice, bob } = await openPair(context);
  const first = await createRoom(alice, { name: 'First of hers', visibility: 'public' });
  const second = await createRoom(alice, { name: 'Second', visibility: 'public', ...space });
  await createRoom(alice, { name: 'Hidden' });
  type Rooms = { readonly chunk: { readonly room_id: string }[]; readonly next_batch?: string };
  const idsOf = (body: unknown) => (body as Rooms).chunk.map((room) => room.room_id);
  const all = await bob.get(`${v3}/publicRooms?server=hs1`);
  assert.deepEqual(new Set(idsOf(all.body)), new Set([first, second]));
  const page = (await bob.get(`${v3}/publicRooms?server=hs1&limit=1`)).body as unknown as Rooms;
  const next = await bob.get(`${v3}/publicRooms?server=hs1&limit=1&since=${encodeURIComponent(page.next_batch ?? '')}`);
  assert.deepEqual(new Set([...idsOf(page), ...idsOf(next.body)]), new Set([first, second]));
  const found = await bob.post(`${v3}/publicRooms?server=hs1`, { filter: { generic_search_term: 'hers' } });
  assert.deepEqual(idsOf(found.body), [first]);
  const spaces = await bob.post(`${v3}/publicRooms?server=hs1`, { filter: { room_types: ['m.space'] } });
  assert.deepEqual(idsOf(spaces.body), [second]);
  assert.equal((await bob.get(`${v3}/publicRooms?server=nowhere.test`)).status, 502);
  assert.equal((await bob.get(`${v3}/publicRooms?server=no%20name`)).status, 400);
  const peer = await openPeer(context, network, 'peer.test');
  peer.on('GET', '/_matrix/federation/v1/publicRooms', () => ({ body: { chunk: [{ room_id: 5 }] } }));
  assert.equal((await bob.get(`${v3}/publicRooms?server=peer.test`)).status, 502, 'what makes no sense');
});

test('a server can keep its directory to itself', async (context) => {
  const { network, bob } = await openPair(context, { FEDERATION_PUBLIC_ROOMS: 'false' });
  const peer = await openPeer(context, network, 'peer.test');
  assert.equal((await peer.send('hs1', 'GET', '/_matrix/federation/v1/publicRooms')).status, 403);
  assert.equal((await peer.send('hs1', 'POST', '/_matrix/federation/v1/publicRooms', { content: {} })).status, 403);
  assert.equal((await bob.get(`${v3}/publicRooms?server=hs1`)).status, 502);
});

test('an OpenID token tells anybody whose it is, while it is valid', async (context) => {
  const { network, alice } = await openPair(context);
  const path = `${v3}/user/${encodeURIComponent(alice.userId)}/openid/request_token`;
  const { access_token: token } = (await alice.post(path, {})).body;
  const peer = await openPeer(context, network, 'peer.test');
  const uri = '/_matrix/federation/v1/openid/userinfo';
  const { status, body } = await peer.send('hs1', 'GET', `${uri}?access_token=${String(token)}`, { authorization: '' });
  assert.deepEqual([status, (body as { sub: string }).sub], [200, alice.userId]);
  const wrong = await peer.send('hs1', 'GET', `${uri}?access_token=wrong`, { authorization: '' });
  assert.deepEqual([wrong.status, (wrong.body as { errcode: string }).errcode], [401, 'M_UNKNOWN_TOKEN']);
  assert.equal((await peer.send('hs1', 'GET', uri, { authorization: '' })).status, 401);
});

test('an event of the past is found by its time, on another server if need be', async (context) => {
  const { alice, bob } = await openPair(context);
  const roomId = await createRoom(alice);
  const path = encodeURIComponent(roomId);
  const tick = async () => {
    for (const now = Date.now(); Date.now() <= now + 2;) await new Promise(setImmediate);
    return Date.now();
  };
  const before = await say(alice, roomId, 'a');
  const between = await tick();
  await tick();
  const after = await say(alice, roomId, 'b');
  await tick();
  assert.equal((await bob.post(`${v3}/join/${path}?via=hs1`, {})).status, 200);
  const find = async (ts: number, dir: 'f' | 'b') =>
    (await bob.get(`/_matrix/client/v1/rooms/${path}/timestamp_to_event?ts=${ts}&dir=${dir}`)).body['event_id'];
  assert.equal(await find(between, 'b'), before);
  assert.equal(await find(between, 'f'), after);
  assert.equal(await find(1, 'b'), undefined);
  // What was fetched for that is part of the timeline, and what lies between is fetched when somebody reads on.
  const context_ = await bob.get(`${v3}/rooms/${path}/context/${encodeURIComponent(before)}?limit=6`);
  const ids = (context_.body['events_after'] as { event_id: string }[]).map((event) => event.event_id);
  assert.equal(ids[0], after);
});
