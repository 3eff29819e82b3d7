import {
  claimUserKeys as claimOperation,
  getUserDevices as devicesOperation,
  queryUserKeys as queryOperation,
} from '../../../federation-api/user-keys.ts';
import type { KeysForServers } from '../../../services/keys/keys-for-servers.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly keysForServers: KeysForServers };

export const getUserDevices = endpoint(devicesOperation, ({ keysForServers }: Services) => {
  return async ({ params }) => rawJson(await keysForServers.devices(params.userId));
});

export const queryUserKeys = endpoint(queryOperation, ({ keysForServers }: Services) => {
  return async ({ body }) => rawJson(await keysForServers.query(body.device_keys));
});

export const claimUserKeys = endpoint(claimOperation, ({ keysForServers }: Services) => {
  return async ({ body }) => rawJson(await keysForServers.claim(body.one_time_keys));
});
