import assert from 'node:assert/strict';
import type { Database } from '@portico/storage';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { until } from '@portico/testkit/until.ts';
import type { FederationClient } from '../../federation/client/federation-client.ts';
import { FederationError } from '../../federation/client/federation-error.ts';
import { type AskServer, createAskServers } from './ask-servers.ts';
import { createFetchLists } from './fetch-lists.ts';
import { createRemoteLists } from './remote-lists.ts';

type Body = { readonly body: { readonly device_keys: object } };

onBothEngines('what nobody waits for any more is not asked for, unless somebody else comes in time', async (db) => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const call = (_operation: unknown, _server: unknown, { body }: Body) => {
    asked.push(...Object.keys(body.device_keys));
    const answer = Promise.withResolvers<object>();
    answers.push(() => answer.resolve({ device_keys: {} }));
    return answer.promise;
  };
  // One request at a time.
  const { query: askServer } = createAskServers({ now: () => performance.now(), mostOfServer: 1 });
  const fetchLists = createFetchLists({ client: { call } as unknown as FederationClient, askServer });
  const lists = createRemoteLists({ db, serverName: 'a', fetchLists });
  const find = async (userId: string, wanted: string, signal?: AbortSignal) => {
    const { passing } = await lists.find({ userId, ...(signal && { signal }) }, [wanted], 60_000);
    return passing.map((list) => list.userId);
  };
  const answer = (count: number) =>
    until(() => {
      if (asked.length < count) return false;
      answers.at(-1)?.();
      return true;
    }, `${count} were asked for`);

  const leaving = new AbortController();
  const first = find('@alice:a', '@slow:hs1');
  await until(() => asked.length === 1, 'the first one is asked for');
  const gone = [find('@bob:a', '@left:hs1', leaving.signal), find('@bob:a', '@joined:hs1', leaving.signal)];
  const joining = find('@carol:a', '@joined:hs1');
  leaving.abort();
  assert.deepEqual(await Promise.all(gone), [[], []], 'they are not waited for');
  await answer(1);
  await answer(2);
  assert.deepEqual(await Promise.all([first, joining]), [['@slow:hs1'], ['@joined:hs1']]);
  assert.deepEqual(asked, ['@slow:hs1', '@joined:hs1']);

  const later = find('@dan:a', '@left:hs1');
  await answer(3);
  assert.deepEqual(await later, ['@left:hs1']);
});

/** Each person has one turn; what is asked waits for its answer. */
function openWithOneTurn(db: Database) {
  const asked = new Map<string, number>();
  const answers = new Map<string, PromiseWithResolvers<object>>();
  const call = (_operation: unknown, _server: unknown, { body }: Body) => {
    const [user = ''] = Object.keys(body.device_keys);
    asked.set(user, (asked.get(user) ?? 0) + 1);
    const answer = Promise.withResolvers<object>();
    answers.set(user, answer);
    return answer.promise;
  };
  const { query } = createAskServers({
    now: () => performance.now(),
    mostAtOnce: 4,
    mostOfServer: 2,
    pauses: { shortest: 1, longest: 1 },
  });
  const waits: string[] = [];
  const askServer: AskServer = (server, timeout, ask, question) => {
    waits.push(`${question?.owner} ${server}`);
    return query(server, timeout, ask, question);
  };
  const fetchLists = createFetchLists({ client: { call } as unknown as FederationClient, askServer });
  const lists = createRemoteLists({ db, serverName: 'a', fetchLists });
  const find = async (userId: string, wanted: string, signal?: AbortSignal) => {
    const found = await lists.find({ userId, ...(signal && { signal }) }, [wanted], 60_000);
    return found.passing.map((list) => list.userId);
  };
  const answer = async (user: string) => {
    await until(() => answers.has(user), `${user} is asked for`);
    answers.get(user)?.resolve({ device_keys: {} });
    answers.delete(user);
  };
  const fail = async (user: string) => {
    await until(() => answers.has(user), `${user} is asked for`);
    answers.get(user)?.reject(new FederationError('timeout', 'too slow'));
    answers.delete(user);
  };
  const waitsFor = (owner: string, server: string) =>
    until(() => waits.includes(`${owner} ${server}`), `${owner} waits for ${server}`);
  return { find, answer, fail, asked, waitsFor };
}

onBothEngines('who asks for the same as somebody else does not wait behind what else that one wants', async (db) => {
  const { find, answer, asked, waitsFor } = openWithOneTurn(db);
  const others = ['@one:hs1', '@two:hs2'].map((user) => find('@alice:a', user));
  await until(() => asked.size === 2, 'alice has all turns that she may have');
  const first = find('@alice:a', '@wanted:hs3');
  await waitsFor('@alice:a', 'hs3');
  const second = find('@bob:a', '@wanted:hs3');
  await answer('@wanted:hs3');
  assert.deepEqual(await Promise.all([first, second]), [['@wanted:hs3'], ['@wanted:hs3']]);
  assert.equal(asked.get('@wanted:hs3'), 1, 'it is an answer for all');
  for (const user of ['@one:hs1', '@two:hs2']) await answer(user);
  await Promise.all(others);
  assert.deepEqual(asked.size, 3);
});

onBothEngines('what one asked for in vain, others who waited for it do not get, and may ask for anew', async (db) => {
  const { find, answer, fail, asked, waitsFor } = openWithOneTurn(db);
  const others = ['@one:hs1', '@two:hs2'].map((user) => find('@alice:a', user));
  await until(() => asked.size === 2, 'alice has all turns that she may have');
  const leaving = new AbortController();
  const gone = find('@alice:a', '@wanted:hs3', leaving.signal);
  await waitsFor('@alice:a', 'hs3');
  const second = find('@bob:a', '@wanted:hs3');
  await waitsFor('@bob:a', 'hs3');
  leaving.abort();
  assert.deepEqual(await gone, []);
  await fail('@wanted:hs3');
  for (const user of ['@one:hs1', '@two:hs2']) await answer(user);
  await Promise.all(others);
  assert.deepEqual(await second, []);
  const again = find('@dan:a', '@wanted:hs3');
  await answer('@wanted:hs3');
  assert.deepEqual(await again, ['@wanted:hs3']);
});
