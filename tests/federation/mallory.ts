import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { JsonObject, JsonValue } from '@portico/protocol';
import { newDeviceKeys } from '@portico/testkit/device-keys.ts';
import type { FederationPeer } from '@portico/testkit/federation-peer.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { joinAs, openWithPeer } from './peer.ts';

export const keys = '/_matrix/client/v3/keys';
export const devicesPath = '/_matrix/federation/v1/user/devices/';
export const mallory = '@mallory:peer.test';
export const device = (deviceId: string, userId = mallory) => newDeviceKeys({ userId, deviceId });
export const listed = (deviceId: string, own: JsonObject = device(deviceId)) => ({ device_id: deviceId, keys: own });

type Answer = {
  readonly device_keys: Record<string, Record<string, JsonObject>>;
  readonly master_keys: Record<string, JsonObject>;
  readonly self_signing_keys: Record<string, JsonObject>;
  readonly failures: object;
};

export async function query(by: TestClient, users: readonly string[] = [mallory]): Promise<Answer> {
  const { status, body } = await by.post(`${keys}/query`, {
    device_keys: Object.fromEntries(users.map((user) => [user, []])),
  });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Answer;
}
export const seen = ({ device_keys: all }: Answer, userId = mallory) => Object.keys(all[userId] ?? {}).sort();

/** A peer whose person is in a room of alice's, and that gives a list of devices. */
export async function openWithMallory(context: TestContext, engine: 'sqlite' | 'postgres' = 'sqlite') {
  const all = await openWithPeer(context, engine);
  await joinAs(all.peer, all.path, mallory);
  return { ...all, fetches: () => all.peer.requests.filter((request) => request.includes(devicesPath)).length };
}

/** What the peer answers about somebody from now on. */
export function answerDevices(peer: FederationPeer, devices: JsonValue, more: JsonObject = {}): void {
  peer.on('GET', devicesPath, () => ({ body: { user_id: mallory, stream_id: 1, devices, ...more } }));
}

export const listUpdate = (over: JsonObject = {}): JsonObject => ({
  edu_type: 'm.device_list_update',
  content: { user_id: mallory, device_id: 'A', stream_id: 2, prev_id: [1], keys: device('A'), ...over },
});
