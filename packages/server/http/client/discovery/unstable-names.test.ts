import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';

const server = await startTestServer();
after(() => server.close());

test('what clients know by its unstable name answers by it as by the other', async () => {
  const alice = await server.registerUser();
  const { body } = await alice.post('/_matrix/client/v3/createRoom', {});
  const room = encodeURIComponent(String(body['room_id']));
  const versions = await alice.get('/_matrix/client/versions');
  const features = versions.body['unstable_features'] as Record<string, boolean>;
  for (const [feature, rest] of [
    ['org.matrix.msc3030', 'timestamp_to_event?ts=0&dir=f'],
    ['org.matrix.msc3856', 'threads'],
  ] as const) {
    assert.equal(features[feature], true, feature);
    const stable = await alice.get(`/_matrix/client/v1/rooms/${room}/${rest}`);
    const unstable = await alice.get(`/_matrix/client/unstable/${feature}/rooms/${room}/${rest}`);
    assert.equal(stable.status, 200);
    assert.deepEqual([unstable.status, unstable.body], [stable.status, stable.body], feature);
  }
});
