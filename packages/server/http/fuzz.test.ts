import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { after, describe, test } from 'node:test';
import { text as readText } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { anyAddress } from '@portico/testkit/arbitrary-calls.ts';
import { nearly } from '@portico/testkit/arbitrary-json.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { adminEndpoints } from './admin/index.ts';
import { clientEndpoints } from './client/index.ts';
import { oauthEndpoints } from './client/oauth/index.ts';
import { rendezvousEndpoints } from './client/rendezvous/index.ts';
import type { Declaration } from './endpoint.ts';
import { htmlPage } from './result.ts';

/** SQLite keeps any text; PostgreSQL refuses some. */
const engine = process.env['FUZZ_ENGINE'] === 'sqlite' ? 'sqlite' : 'postgres';
// What chance hits is no test: these answers say of no endpoint that one uses it.
delete process.env['PORTICO_TEST_EXERCISED'];
// Nobody else is there to answer, and that another server does not is no defect of this one.
const server = await startTestServer({ engine, settings: { FEDERATION_ENABLED: 'false', OAUTH_ENABLED: 'true' } });
const alice = await server.registerUser('alice');
const room = String((await alice.post('/_matrix/client/v3/createRoom', {})).body['room_id']);
after(() => server.close());
const runs = Number(process.env['FUZZ_RUNS'] ?? 30);

type Call = { readonly path: string; readonly body: string | undefined };
type Answer = { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly text: string };

/** Not `fetch`: that would tidy up the address. */
async function call(method: string, { path, body }: Call, token: string): Promise<Answer> {
  const outgoing = request(server.baseUrl + path, { method, path, headers: { authorization: `Bearer ${token}` } });
  if (body !== undefined) outgoing.setHeader('content-length', Buffer.byteLength(body));
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, text: await readText(response) };
}

function usual(name: string): readonly string[] {
  return name === 'userId' ? [alice.userId] : name.startsWith('roomId') ? [room] : ['m.type', 'id'];
}

function callOf(declaration: Declaration): fc.Arbitrary<Call> {
  const { body } = declaration;
  const bodyText =
    body === undefined
      ? fc.constant(undefined)
      : fc.oneof(
          { weight: 9, arbitrary: nearly(body).map((value) => JSON.stringify(value)) },
          { weight: 1, arbitrary: fc.constantFrom(undefined, '', '{', 'null', '\u0000', '[]', '{"a":1e999}') },
        );
  return fc.record({ path: anyAddress(declaration, usual), body: bodyText });
}

function assertAnswer({ response, path }: Declaration, { status, headers, text }: Answer): void {
  if (headers['content-type'] === 'text/html; charset=utf-8' && !path.startsWith('/_matrix/')) {
    assert.equal(headers['access-control-allow-origin'], undefined);
  } else {
    assert.equal(headers['access-control-allow-origin'], '*');
    assert.match(String(headers['access-control-allow-headers']), /Authorization/);
  }
  // What a person may take home of what is kept of them.
  if (status === 200 && headers['content-type'] === 'application/zip') return;
  if (response === htmlPage && headers['content-type'] === 'text/html; charset=utf-8') {
    assert.ok([200, 302, 400, 403].includes(status), `status ${status}`);
    return;
  }
  assert.match(String(headers['content-type']), /^application\/json$/);
  const body = JSON.parse(text) as { errcode?: unknown; error?: unknown; flows?: unknown };
  if (status === 200) return;
  assert.ok((status >= 400 && status < 500) || status === 502, `status ${status}`);
  if (status === 401 && Array.isArray(body.flows)) return;
  // OAuth 2.0 has codes of its own.
  if (path.includes('/oauth/') && body.errcode === undefined) {
    assert.match(String(body.error), /^[a-z_]+$/);
    return;
  }
  assert.match(String(body.errcode), /^(?:M_|ORG\.MATRIX\.MSC\d+_)[A-Z_]+$/);
  assert.equal(typeof body.error, 'string');
}

describe('whatever is sent to an endpoint is answered as the spec says, and never with a 500', () => {
  for (const { declaration } of [...clientEndpoints, ...oauthEndpoints, ...rendezvousEndpoints, ...adminEndpoints]) {
    test(`${declaration.method} ${declaration.path}`, async () => {
      await fc.assert(
        fc.asyncProperty(callOf(declaration), async (sent) => {
          // Logging out would make the rest of the calls uninteresting.
          const ends = declaration.path.includes('/logout');
          const token = ends ? (await server.registerUser()).accessToken : alice.accessToken;
          assertAnswer(declaration, await call(declaration.method, sent, token));
          assert.deepEqual(server.errors, []);
        }),
        { numRuns: declaration.params || declaration.body || declaration.query ? runs : 3 },
      );
    });
  }
});
