import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testPorts } from './server-process.ts';

/** Whether `fetch` refuses a port before it asks anybody to connect to it. */
async function isBadPort(port: number): Promise<boolean> {
  let isAsked = false;
  const dispatch = () => {
    isAsked = true;
    throw new Error('Nobody connects here');
  };
  await fetch(`http://127.0.0.1:${port}`, { dispatcher: { dispatch } } as unknown as RequestInit).catch(() => {});
  return !isAsked;
}

test('servers of tests get no port that `fetch` refuses', async () => {
  assert.ok(await isBadPort(10_080));
  const bad: number[] = [];
  for (let port = testPorts.lowest; port <= testPorts.highest; port++) if (await isBadPort(port)) bad.push(port);
  assert.deepEqual(bad, []);
});
