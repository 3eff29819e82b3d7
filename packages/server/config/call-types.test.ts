import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, loadConfig } from './load.ts';

async function problemOf(environment: Record<string, string>): Promise<string> {
  try {
    await loadConfig({ environment });
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message;
  }
  return '';
}

test('what carries calls has a type', async () => {
  for (const transport of ['{}', '{"type":1}', '"livekit"', '{"type":""}']) {
    assert.match(await problemOf({ PORTICO_CALLS_TRANSPORTS: `[${transport}]` }), /calls\.transports\[0\]/);
  }
  assert.equal(await problemOf({ PORTICO_CALLS_TRANSPORTS: '[{"type":"livekit","deep":[{"er":1}]}]' }), '');
});

test('a TURN server has addresses and a secret, which no message repeats', async () => {
  const secret = 'Xyzzy7';
  for (const turn of [
    { uris: ['turn:a'] },
    { uris: [], shared_secret: secret },
    { uris: ['https://a'], shared_secret: secret },
    { uris: ['turn:a'], shared_secret: secret, lifetime: 1 },
    { uris: ['turn:a'], shared_secret: [secret] },
  ]) {
    const problem = await problemOf({ PORTICO_CALLS_TURN: JSON.stringify(turn) });
    assert.match(problem, /calls\.turn/);
    assert.equal(problem.includes(secret), false);
  }
});

test('a contact has a role and a way to reach them', async () => {
  for (const contact of [
    { role: 'm.role.admin' },
    { matrix_id: '@admin:example.org' },
    { role: 'm.role.admin', matrix_id: 'admin' },
    { role: 'm.role.admin', email_address: 'admin' },
    'admin@example.org',
  ]) {
    const problem = await problemOf({ PORTICO_SUPPORT_CONTACTS: JSON.stringify([contact]) });
    assert.match(problem, /support\.contacts\[0\]/, JSON.stringify(contact));
  }
});
