import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { until } from '@portico/testkit/until.ts';
import type { FederationClient } from '../../federation/client/federation-client.ts';
import { createAskServers } from './ask-servers.ts';
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
