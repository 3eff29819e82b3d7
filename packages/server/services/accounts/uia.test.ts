import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createWriteSet, type Database } from '@portico/storage';
import { findUiaSession } from '@portico/storage/stores/accounts/accounts-uia.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createUia, type Asked, type AuthData, type Challenge, type Uia } from './uia.ts';

const stages: Challenge = {
  operation: 'delete DEVICE of @a:x',
  flows: [['m.login.dummy', 'm.login.password'], ['m.login.registration_token']],
  checks: {
    'm.login.dummy': () => ({ kind: 'passed' }),
    'm.login.password': ({ password }) =>
      password === 'right' ? { kind: 'passed' } : { kind: 'failed', reason: 'login.forbidden' },
  },
};

function setUp(db: Database) {
  const clock = { at: 1000 };
  return { clock, uia: createUia({ db, now: () => clock.at, randomBytes, secret: Buffer.from('secret') }) };
}

/** What the client is asked for. */
async function challengeOf(
  uia: Uia,
  challenge: Challenge,
  auth?: AuthData,
  asked?: Asked,
): Promise<Record<string, unknown>> {
  try {
    await uia.authorize(challenge, auth, asked);
  } catch (error) {
    assert.ok(error instanceof MatrixError && error.reason === 'uia.required', String(error));
    return { ...error.fields };
  }
  throw new assert.AssertionError({ message: 'It was authorised' });
}

onBothEngines('UIA: stage after stage, and one that fails may be tried again', async (db) => {
  const { uia } = setUp(db);
  const { session, flows, completed, errcode } = await challengeOf(uia, stages);
  assert.deepEqual([flows, completed, errcode], [stages.flows.map((flow) => ({ stages: flow })), undefined, undefined]);
  const auth = (type: string, more = {}): AuthData => ({ type, session: String(session), ...more });
  const first = await challengeOf(uia, stages, auth('m.login.dummy'));
  assert.deepEqual([first['completed'], first['session']], [['m.login.dummy'], session]);
  const wrong = await challengeOf(uia, stages, auth('m.login.password', { password: 'wrong' }));
  assert.deepEqual([wrong['completed'], wrong['errcode']], [['m.login.dummy'], 'M_FORBIDDEN']);
  assert.deepEqual((await challengeOf(uia, stages, { session: String(session) }))['completed'], ['m.login.dummy']);
  const { useUp } = await uia.authorize(stages, auth('m.login.password', { password: 'right' }));

  const set = createWriteSet();
  useUp(set);
  await db.commit(set);
  const again = createWriteSet();
  useUp(again);
  await assert.rejects(db.commit(again), { guard: 'uia.session-changed' });
});

onBothEngines('UIA: a session is good for its operation, and for its time', async (db) => {
  const { uia, clock } = setUp(db);
  const { session } = await challengeOf(uia, stages);
  const auth = { type: 'm.login.dummy', session: String(session) };
  for (const operation of ['delete OTHER of @a:x', 'delete DEVICE of @b:x']) {
    await assert.rejects(uia.authorize({ ...stages, operation }, auth), { reason: 'uia.other-request' });
  }
  clock.at += 15 * 60 * 1000 - 1;
  await challengeOf(uia, stages, auth);
  clock.at += 1;
  await assert.rejects(uia.authorize(stages, auth), { reason: 'uia.unknown-session' });
});

onBothEngines('UIA: a session is good for exactly what it was opened for, and keeps nothing of it', async (db) => {
  const { uia } = setUp(db);
  const asked = ['correct horse', true];
  const { session } = await challengeOf(uia, stages, undefined, asked);
  const auth = (type: string): AuthData => ({ type, session: String(session), password: 'right' });
  for (const other of [['battery staple', true], ['correct horse', false], undefined]) {
    await assert.rejects(uia.authorize(stages, auth('m.login.dummy'), other), { reason: 'uia.other-request' });
  }
  const row = await findUiaSession(db, String(session));
  assert.ok(!JSON.stringify(row).includes('horse'));
  assert.equal(await uia.operationOf(String(session)), stages.operation);
  // On a page of the server's only the stage is passed; the client comes back with the request.
  assert.deepEqual(await uia.pass(stages, String(session), auth('m.login.dummy')), { kind: 'passed' });
  await uia.authorize(stages, auth('m.login.password'), asked);
});

onBothEngines('UIA: what is not offered passes nothing', async (db) => {
  const { uia } = setUp(db);
  for (const type of ['m.login.registration_token', 'constructor', '__proto__']) {
    const { errcode, completed } = await challengeOf(uia, stages, { type });
    assert.deepEqual([errcode, completed], ['M_UNRECOGNIZED', []]);
  }
});
