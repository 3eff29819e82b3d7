import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { decodeBase64, encodeCanonical, type JsonObject, type JsonValue, parseVerifyKey } from '@portico/protocol';
import { openPeer } from '@portico/testkit/federation-peer.ts';
import { startTestNetwork } from '@portico/testkit/network.ts';
import { requestText } from '@portico/server/services/federation/signing/request-text.ts';
import { verifySignature } from '@portico/server/services/federation/signing/verify.ts';
import { parseXMatrix } from '@portico/server/services/federation/signing/x-matrix.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { must, refusal } from '@portico/testkit/people.ts';

const v3 = '/_matrix/client/v3';
const auth = { type: 'm.login.password', password: 'a password' };
const email = (address: string) => ({ medium: 'email', address });
const idServer = 'identity.test:8448';

type Asked = { readonly path: string; readonly authorization: string | undefined; readonly body: JsonObject };

/** An identity server that binds what has been proved to it, and says of every request what it was. */
async function open(context: TestContext) {
  const network = await startTestNetwork(['hs1'], { settings: { RATE_LIMITS_ENABLED: 'false' } });
  context.after(() => network.close());
  const peer = await openPeer(context, network, 'identity.test');
  const alice = await network.server('hs1').registerUser('alice');
  const asked: Asked[] = [];
  let answer: { status?: number; body: JsonValue | string } | undefined;
  for (const path of ['3pid/bind', '3pid/unbind']) {
    peer.on('POST', `/_matrix/identity/v2/${path}`, ({ body, headers }) => {
      const content = JSON.parse(body) as JsonObject;
      asked.push({ path, authorization: headers.authorization, body: content });
      return (
        answer ?? { body: path === '3pid/bind' ? { ...email(`${content['sid'] as string}@example.org`), ts: 1 } : {} }
      );
    });
  }
  const bind = (who: TestClient, sid: string, over: object = {}, path = 'account/3pid/bind') =>
    who.post(`${v3}/${path}`, {
      client_secret: 'secret',
      id_server: idServer,
      id_access_token: 'token',
      sid,
      ...over,
    });
  const answerWith = (given: typeof answer) => (answer = given);
  return { network, peer, alice, asked, bind, answerWith, server: network.server('hs1') };
}

test('an address is bound at an identity server, and unbound where it was, signed', async (context) => {
  const { alice, asked, bind, peer, server } = await open(context);
  await must(bind(alice, 'a'));
  assert.deepEqual(asked, [
    {
      path: '3pid/bind',
      authorization: 'Bearer token',
      body: { client_secret: 'secret', sid: 'a', mxid: alice.userId },
    },
  ]);
  assert.deepEqual((await must(alice.get(`${v3}/account/3pid`)))['threepids'], [], 'it is no address of the account');
  const unbound = await must(alice.post(`${v3}/account/3pid/unbind`, email('A@Example.org')));
  assert.deepEqual(unbound, { id_server_unbind_result: 'success' });
  const { authorization, body } = asked[1] as Asked;
  assert.deepEqual(body, { mxid: alice.userId, threepid: email('a@example.org') });
  const signed = parseXMatrix(authorization ?? '');
  const { body: published } = await peer.send('hs1', 'GET', '/_matrix/key/v2/server');
  const { verify_keys: keys } = published as { verify_keys: Record<string, { key: string }> };
  const { key = '' } = keys[signed?.keyId ?? ''] ?? {};
  const verifyKey = parseVerifyKey(decodeBase64(key) ?? new Uint8Array());
  assert.ok(signed && verifyKey);
  const uri = '/_matrix/identity/v2/3pid/unbind';
  const request = { method: 'POST', uri, origin: 'hs1', destination: idServer, content: encodeCanonical(body) };
  const signature = decodeBase64(signed.signature) ?? new Uint8Array();
  assert.equal(await verifySignature({ key: verifyKey, text: requestText(request), signature }), true);
  const again = await must(alice.post(`${v3}/account/3pid/unbind`, email('a@example.org')));
  assert.deepEqual(again, { id_server_unbind_result: 'no-support' }, 'nobody knows where it would be');
  assert.equal(asked.length, 2);
  assert.deepEqual(server.errors, []);
});

test('an identity server that is named is asked, whatever is known', async (context) => {
  const { alice, asked, server } = await open(context);
  const named = { ...email('b@example.org'), id_server: idServer };
  for (const path of ['unbind', 'delete']) {
    const done = await must(alice.post(`${v3}/account/3pid/${path}`, named));
    assert.deepEqual(done, { id_server_unbind_result: 'success' });
  }
  assert.equal(asked.length, 2);
  const elsewhere = await alice.post(`${v3}/account/3pid/unbind`, { ...named, id_server: 'nowhere.test' });
  assert.deepEqual(elsewhere.body, { id_server_unbind_result: 'no-support' });
  for (const name of ['no name', '99999999999999999999', '']) {
    const refused = await refusal(alice.post(`${v3}/account/3pid/unbind`, { ...named, id_server: name }));
    assert.equal(refused, '400 M_INVALID_PARAM', name);
  }
  assert.deepEqual(server.errors, []);
});

test('what identity servers say against it is passed on, and other failures are not taken for words of theirs', async (context) => {
  const { alice, bind, answerWith, server } = await open(context);
  await must(bind(alice, 'kept'));
  const unbind = () => alice.post(`${v3}/account/3pid/unbind`, email('kept@example.org'));
  answerWith({ status: 403, body: { errcode: 'M_TERMS_NOT_SIGNED', error: 'Sign our terms' } });
  for (const refused of [await bind(alice, 'x'), await unbind()]) {
    assert.deepEqual([refused.status, refused.body], [403, { errcode: 'M_TERMS_NOT_SIGNED', error: 'Sign our terms' }]);
  }
  answerWith({ status: 404, body: { errcode: 'M_NO_VALID_SESSION', error: 'No such session' } });
  assert.equal(await refusal(bind(alice, 'x')), '404 M_NO_VALID_SESSION');
  for (const body of ['<html>', { errcode: 'm_injected\r\nx: y' }, { errcode: 7 }, { errcode: 'M_X'.repeat(200) }]) {
    answerWith({ status: 400, body });
    assert.equal(await refusal(bind(alice, 'x')), '502 M_UNKNOWN');
  }
  answerWith({ status: 404, body: 'no such thing' });
  assert.deepEqual((await unbind()).body, { id_server_unbind_result: 'no-support' });
  answerWith({ status: 500, body: { errcode: 'M_UNKNOWN' } });
  assert.equal(await refusal(bind(alice, 'x')), '502 M_UNKNOWN');
  answerWith({ body: 'x'.repeat(1_000_000) });
  assert.equal(await refusal(bind(alice, 'x')), '502 M_UNKNOWN');
  assert.equal(await refusal(bind(alice, 'x', { id_server: 'nowhere.test' })), '502 M_UNKNOWN');
  answerWith(undefined);
  assert.deepEqual(await must(unbind()), { id_server_unbind_result: 'success' }, 'it was remembered all the while');
  assert.deepEqual(server.errors, []);
});

test('what was proved to an identity server is bound there by the deprecated endpoint', async (context) => {
  const { alice, asked, server } = await open(context);
  const credentials = { client_secret: 'secret', id_server: idServer, id_access_token: 'token', sid: 'old' };
  await must(alice.post(`${v3}/account/3pid`, { three_pid_creds: credentials }));
  assert.equal(asked[0]?.path, '3pid/bind');
  assert.deepEqual((await must(alice.get(`${v3}/account/3pid`)))['threepids'], []);
  assert.deepEqual(server.errors, []);
});

test('with an account all it has bound is unbound, and it goes even if that fails', async (context) => {
  const { alice, asked, bind, answerWith, network, server } = await open(context);
  await must(bind(alice, 'one'));
  await must(bind(alice, 'two'));
  const gone = await must(alice.post(`${v3}/account/deactivate`, { auth }));
  assert.deepEqual(gone, { id_server_unbind_result: 'success' });
  const unbound = asked
    .filter(({ path }) => path === '3pid/unbind')
    .map(({ body }) => JSON.stringify(body['threepid']));
  const wanted = ['one@example.org', 'two@example.org'].map((address) => encodeCanonical(email(address)));
  assert.deepEqual(unbound.toSorted(), wanted);
  const bob = await network.server('hs1').registerUser('bob');
  await must(bind(bob, 'three'));
  answerWith({ status: 403, body: { errcode: 'M_FORBIDDEN' } });
  const left = await must(bob.post(`${v3}/account/deactivate`, { auth, id_server: idServer }));
  assert.deepEqual(left, { id_server_unbind_result: 'no-support' });
  assert.equal(await refusal(bob.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
  assert.deepEqual(server.errors, []);
});
