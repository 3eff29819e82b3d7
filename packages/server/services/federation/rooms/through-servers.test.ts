import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseServerName } from '@portico/protocol';
import { pino } from 'pino';
import { errorResponse } from '../../../http/error-response.ts';
import { FederationError } from '../client/federation-error.ts';
import { throughAny } from './through-servers.ts';

const log = pino({ level: 'silent' });

const refused = (status: number, errcode: string | undefined, error?: string) =>
  new FederationError('refused', 'It refuses', {
    refusal: { status, errcode, error, body: {}, retryAfter: undefined },
  });

/** What a client is told where servers fail so, one after the other. */
async function toldAfter(...failures: readonly Error[]): Promise<readonly unknown[]> {
  const servers = failures.map((_, index) => parseServerName(`hs${index}`)).filter((name) => name !== undefined);
  const left = failures.values();
  try {
    await throughAny(servers, () => Promise.reject(left.next().value ?? new Error('asked too often')), log);
  } catch (error) {
    const { status, body } = errorResponse(error);
    return [status, body.errcode, body.error];
  }
  return [];
}

const failed = [502, 'M_UNKNOWN', 'The other server could not be reached, or did not answer as it should.'];

for (const [what, failures, told] of [
  ['a refusal that is about the person', [refused(403, 'M_FORBIDDEN', 'No')], [403, 'M_FORBIDDEN', 'No']],
  ['a reason of its own', [refused(400, 'ORG.EXAMPLE.FULL', 'It is full')], [400, 'ORG.EXAMPLE.FULL', 'It is full']],
  ['no words', [refused(400, 'M_UNSUPPORTED')], [400, 'M_UNSUPPORTED', 'The other server refuses.']],
  ['a fault in what this server asked', [refused(400, 'M_INVALID_PARAM', 'No such field')], failed],
  ['what would end the session of the person', [refused(400, 'M_UNKNOWN_TOKEN', 'Log in')], failed],
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
