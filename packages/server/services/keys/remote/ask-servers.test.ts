import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { until } from '@portico/testkit/until.ts';
import { FederationError, type FederationFailure } from '../../federation/client/federation-error.ts';
import { createAskServers } from './ask-servers.ts';

// Nothing else does, while a server is waited for.
const keepsRunning = setInterval(() => undefined, 60_000);
after(() => clearInterval(keepsRunning));

/** In milliseconds: longer than any of these tests takes, and soon over for those who are never answered. */
const patience = 15_000;
const usual = { shortest: 60_000, longest: 60_000 };

const fails = (failure: FederationFailure, status?: number) =>
  new FederationError(failure, 'It fails', {
    ...(status !== undefined && {
      refusal: { status, errcode: undefined, error: undefined, body: {}, retryAfter: undefined },
    }),
  });

/** Asks a server that answers so, one after the other; what came of it, and how often it was asked. */
function open(answers: readonly (FederationError | string)[], pauses = { shortest: 1, longest: 2 }) {
  const { query: askServer } = createAskServers({ now: () => performance.now(), pauses });
  let asked = 0;
  const ask = (timeout = 10_000) =>
    askServer('hs1', timeout, () => {
      const answer = answers[asked++];
      return typeof answer === 'string'
        ? Promise.resolve(answer)
        : Promise.reject(answer ?? new Error('asked too often'));
    });
  return { ask, asked: () => asked };
}

for (const [what, failure] of [
  ['cannot be reached', fails('unreachable')],
  ['is behind a proxy that says so', fails('refused', 502)],
] as const) {
  test(`a server that ${what} is asked again, as it may come back`, async () => {
    const { ask, asked } = open([failure, failure, 'here']);
    assert.equal(await ask(), 'here');
    assert.equal(asked(), 3);
  });
}

test('one that stays away is given up, and waited for no more', async () => {
  const away = fails('unreachable');
  const { ask, asked } = open([away, away, away, away, away], { shortest: 1, longest: 1_000_000 });
  assert.equal(await ask(), undefined);
  assert.equal(asked(), 4);
});

test('nobody waits for longer than they said', async () => {
  const { ask, asked } = open([fails('unreachable'), 'too late'], { shortest: 60_000, longest: 60_000 });
  assert.equal(await ask(1000), undefined);
  assert.equal(await ask(1000), undefined);
  assert.equal(asked(), 1);
});

for (const [what, failure] of [
  ['refuses', fails('refused', 403)],
  ['answers too much', fails('too-large')],
  ['is nowhere', fails('unknown-host')],
  ['proves to be nobody', fails('tls')],
] as const) {
  test(`a server that ${what} is not asked again at once`, async () => {
    const { ask, asked } = open([failure, 'never']);
    assert.equal(await ask(), undefined);
    assert.equal(asked(), 1);
  });
}

test('a failure that several requests meet at the same time counts once', async () => {
  const { query: askServer } = createAskServers({
    now: () => performance.now(),
    pauses: { shortest: 20, longest: 20 },
  });
  let asked = 0;
  const isBack = () => asked > 5;
  const ask = () =>
    askServer('hs1', patience, () => {
      asked++;
      return isBack() ? Promise.resolve('here') : Promise.reject(fails('unreachable'));
    });
  const answers = await Promise.all(Array.from({ length: 40 }, ask));
  assert.deepEqual(new Set(answers), new Set(['here']));
});

test('servers that never answer leave turns to those that do', async () => {
  const { query: askServer } = createAskServers({
    now: () => performance.now(),
    mostAtOnce: 4,
    pauses: { shortest: 1, longest: 1 },
  });
  const never = new Promise<string>(() => undefined);
  const asked = new Set<string>();
  const names = Array.from({ length: 10 }, (_, index) => `away${index}`);
  for (const name of names) {
    let isFirst = true;
    const ask = () => {
      if (!isFirst) asked.add(name);
      const answer = isFirst ? Promise.reject(fails('unreachable')) : never;
      isFirst = false;
      return answer;
    };
    void askServer(name, patience, ask, { owner: name });
  }
  await until(() => asked.size === 2, 'two of them have been asked again');
  assert.equal(await askServer('hs1', patience, () => Promise.resolve('here')), 'here');
  assert.equal(asked.size, 2);
});

test('claims never stand behind queries, and know what these have learned', async () => {
  const { query, claim } = createAskServers({ now: () => performance.now(), mostAtOnce: 2, pauses: usual });
  const never = new Promise<string>(() => undefined);
  for (let count = 0; count < 10; count++) void query(`slow${count}`, patience, () => never, { owner: `${count}` });
  assert.equal(await claim('hs1', patience, () => Promise.resolve('here')), 'here');
  let asked = 0;
  const away = () => {
    asked++;
    return Promise.reject(fails('unknown-host'));
  };
  assert.equal(await claim('gone.test', patience, away), undefined);
  assert.equal(await query('gone.test', 10, away), undefined);
  assert.equal(asked, 1);
});

test('what nobody waits for any more is not asked for', async () => {
  const { query } = createAskServers({ now: () => performance.now(), mostOfServer: 1, pauses: usual });
  const slow = Promise.withResolvers<string>();
  const first = query('hs1', patience, () => slow.promise);
  let isWanted = true;
  const asked: string[] = [];
  const ask = (name: string) => () => {
    asked.push(name);
    return Promise.resolve(name);
  };
  const second = query('hs1', patience, ask('second'), { isWanted: () => isWanted });
  const third = query('hs1', patience, ask('third'));
  await new Promise(setImmediate);
  isWanted = false;
  slow.resolve('first');
  assert.deepEqual(await Promise.all([first, second, third]), ['first', undefined, 'third']);
  assert.deepEqual(asked, ['third']);
});
