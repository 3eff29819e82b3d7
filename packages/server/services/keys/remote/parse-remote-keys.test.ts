import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newDeviceKeys } from '@portico/testkit/device-keys.ts';
import { maxRemoteDevices, parseRemoteKeys } from './parse-remote-keys.ts';

const userId = '@mallory:x';
const none = { master: undefined, self_signing: undefined };

test('others have their turn after each device of a list, and of a list that is too long none is looked into', async () => {
  const keys = newDeviceKeys({ userId, deviceId: 'A' });
  let turns = 0;
  const pace = () => {
    turns += 1;
    return undefined;
  };
  const given = (count: number) => Array.from({ length: count }, () => ({ id: 'A', keys, name: undefined }));
  assert.equal((await parseRemoteKeys(userId, given(10), none, pace)).length, 1);
  assert.equal(turns, 10);
  assert.deepEqual(await parseRemoteKeys(userId, given(maxRemoteDevices + 1), none, pace), []);
  assert.equal(turns, 10);
});
