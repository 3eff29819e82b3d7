import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { createSyncClient } from '@portico/testkit/sync-client.ts';
import { federationEndpoints, roomFederationEndpoints } from '../federation/index.ts';
import { unsaidIfEmpty } from '../../services/unsaid.ts';
import { clientEndpoints } from './index.ts';
import { oauthEndpoints } from './oauth/index.ts';
import { rendezvousEndpoints } from './rendezvous/index.ts';

const tokens = new Set(['at', 'from', 'next_batch', 'pos', 'since', 'to']);

test('every token in a query that may be left out may be empty', () => {
  const endpoints = [
    ...clientEndpoints,
    ...oauthEndpoints,
    ...rendezvousEndpoints,
    ...federationEndpoints,
    ...roomFederationEndpoints,
  ];
  const refusing = endpoints.flatMap(({ declaration: { operationId, query } }) => {
    if (query === undefined) return [];
    const unsaid = unsaidIfEmpty(query);
    const required: readonly string[] = query.required ?? [];
    const optional = Object.keys(query.properties).filter((name) => !required.includes(name));
    return optional.filter((name) => tokens.has(name) && !unsaid.has(name)).map((name) => `${operationId} ${name}`);
  });
  assert.deepEqual(refusing, []);
});

const ageless = (body: object): string => JSON.stringify(body).replaceAll(/"age":\d+/g, '"age":0');

describe('with an empty token', () => {
  const server = serverOfSuite();
  const v1 = '/_matrix/client/v1';
  const v3 = '/_matrix/client/v3';

  test('is answered what is answered without one', async () => {
    const alice = createSyncClient(await server.registerUser());
    const roomId = await alice.createRoom();
    const eventId = await alice.send(roomId, 'one');
    const room = `rooms/${encodeURIComponent(roomId)}`;
    for (const [path, token] of [
      [`${v3}/${room}/members`, 'at='],
      [`${v3}/${room}/messages?dir=b`, 'from=&to='],
      [`${v1}/${room}/relations/${encodeURIComponent(eventId)}`, 'from=&to='],
      [`${v1}/${room}/threads`, 'from='],
      [`${v1}/${room}/hierarchy`, 'from='],
      [`${v3}/notifications`, 'from='],
      [`${v3}/publicRooms`, 'since='],
    ] as const) {
      const asked = `${path}${path.includes('?') ? '&' : '?'}${token}`;
      const [without, empty] = [await alice.http.get(path), await alice.http.get(asked)];
      assert.equal(empty.status, 200, asked);
      assert.equal(ageless(empty.body), ageless(without.body), asked);
    }
    const listed = await alice.http.post(`${v3}/publicRooms`, { since: '' });
    assert.deepEqual([listed.status, listed.body], [200, (await alice.http.post(`${v3}/publicRooms`, {})).body]);
    const search = { search_categories: { room_events: { search_term: 'one' } } };
    assert.equal((await alice.http.post(`${v3}/search?next_batch=`, search)).status, 200);
  });
});
