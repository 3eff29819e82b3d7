import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '@portico/protocol';
import { federationEndpoints, roomFederationEndpoints } from '@portico/server/http/federation/index.ts';
import type { SendOptions } from '@portico/testkit/federation-peer.ts';
import { Create } from 'typebox/value';
import { openWithPeer } from './peer.ts';

test('servers must send bodies that are objects in JSON and have what is required, and hear what is wrong', async (context) => {
  const { peer, roomId } = await openWithPeer(context);
  const withBody = [...federationEndpoints, ...roomFederationEndpoints]
    .map(({ declaration }) => declaration)
    .filter(({ auth, body }) => auth === 'server' && body !== undefined);
  assert.ok(withBody.length > 10);
  for (const { method, path, body } of withBody) {
    const uri = path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(name === 'roomId' ? roomId : 'x'));
    const refused = async (sent: SendOptions, errcode: string) => {
      const answer = await peer.send('hs1', method as 'PUT' | 'POST', uri, sent);
      const said = answer.body as { readonly errcode?: string; readonly error?: string };
      assert.deepEqual([answer.status, said.errcode], [400, errcode], `${method} ${path}: ${said.error}`);
      assert.equal(typeof said.error, 'string');
    };
    await refused({ bodyText: '{' }, 'M_NOT_JSON');
    for (const content of [[], 'text', 1]) await refused({ content }, 'M_BAD_JSON');
    const { required = [] } = body as { readonly required?: readonly string[] };
    for (const field of required) {
      const { [field]: _, ...rest } = Create(body as object) as { readonly [key: string]: JsonValue };
      await refused({ content: rest }, 'M_MISSING_PARAM');
    }
  }
});
