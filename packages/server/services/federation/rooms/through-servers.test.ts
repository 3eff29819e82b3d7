import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type JsonObject, parseServerName } from '@portico/protocol';
import { pino } from 'pino';
import { errorResponse } from '../../../http/error-response.ts';
import { FederationError } from '../client/federation-error.ts';
import { throughAny } from './through-servers.ts';

const log = pino({ level: 'silent' });

const refused = (status: number, errcode: string | undefined, error?: string, body: JsonObject = {}) =>
  new FederationError('refused', 'It refuses', {
    refusal: { status, errcode, error, body, retryAfter: 1e12 },
  });

/** What a client is told where servers fail so, one after the other. */
async function toldAfter(...failures: readonly Error[]): Promise<readonly unknown[]> {
  const servers = failures.map((_, index) => parseServerName(`hs${index}`)).filter((name) => name !== undefined);
  const left = failures.values();
  try {
    await throughAny(servers, () => Promise.reject(left.next().value ?? new Error('asked too often')), log);
  } catch (error) {
    const { status, body } = errorResponse(error);
    const { errcode, error: words, ...rest } = body;
    return Object.keys(rest).length === 0 ? [status, errcode, words] : [status, errcode, rest];
  }
  return [];
}

const failed = [502, 'M_UNKNOWN', 'The other server could not be reached, or did not answer as it should.'];

for (const [what, failures, told] of [
  ['a refusal that is about the person', [refused(403, 'M_FORBIDDEN', 'No')], [403, 'M_FORBIDDEN', 'No']],
  ['a reason of its own', [refused(400, 'ORG.EXAMPLE.FULL', 'It is full')], [400, 'ORG.EXAMPLE.FULL', 'It is full']],
  ['no words', [refused(400, 'M_UNSUPPORTED')], [400, 'M_UNSUPPORTED', 'The other server refuses.']],
  ['a fault in what this server asked', [refused(400, 'M_INVALID_PARAM', 'No such field')], failed],
  ...[
    'M_UNKNOWN_TOKEN',
    'M_MISSING_TOKEN',
    'M_UNAUTHORIZED',
    'M_USER_LOCKED',
    'M_USER_SUSPENDED',
    'M_USER_DEACTIVATED',
    'M_USER_LIMIT_EXCEEDED',
    'M_RESOURCE_LIMIT_EXCEEDED',
    'M_LIMIT_EXCEEDED',
    'M_CONSENT_NOT_GIVEN',
    'M_UNRECOGNIZED',
    'M_THREEPID_AUTH_FAILED',
    'M_SOMETHING_NEW',
    'ORG.MATRIX.MSC3823.USER_ACCOUNT_SUSPENDED',
    'ORG.MATRIX.MSC4335.M_USER_LIMIT_EXCEEDED',
    'ORG.EXAMPLE.M_UNKNOWN_TOKEN',
  ].map(
    (errcode) => [`${errcode}, which is for its own server to say`, [refused(400, errcode, 'No')], failed] as const,
  ),
  [
    'a version that is none',
    [refused(400, 'M_INCOMPATIBLE_ROOM_VERSION', 'No', { room_version: { a: ['x'] }, soft_logout: true })],
    [400, 'M_INCOMPATIBLE_ROOM_VERSION', { room_version: '1' }],
  ],
  [
    'what else is in an answer',
    [refused(403, 'M_FORBIDDEN', 'No', { errcode: 'M_UNKNOWN_TOKEN', soft_logout: true, retry_after_ms: 1e12 })],
    [403, 'M_FORBIDDEN', 'No'],
  ],
  ['another status', [refused(401, 'ORG.EXAMPLE.FULL', 'It is full')], failed],
  ['no error code', [refused(400, undefined, 'No')], failed],
  ['a code that is none', [refused(400, '<b>', 'No')], failed],
  [
    'a reason, and then nothing of use',
    [refused(403, 'M_FORBIDDEN', 'No'), refused(500, 'M_UNKNOWN')],
    [403, 'M_FORBIDDEN', 'No'],
  ],
  ['nobody who can be reached', [new FederationError('timeout', 'It took too long')], failed],
] as const) {
  test(`what a client is told of ${what}`, async () => {
    assert.deepEqual(await toldAfter(...failures), told);
  });
}
