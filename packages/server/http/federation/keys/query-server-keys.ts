import {
  queryManyServerKeys as operationForMany,
  queryServerKey as operationForKey,
  queryServerKeys as operation,
} from '../../../federation-api/server-keys.ts';
import type { Notary } from '../../../services/federation/keys/notary.ts';
import type { WantedKeys } from '../../../services/federation/keys/wanted-keys.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson, type RawJson } from '../../result.ts';

type Services = { readonly notary: Notary; readonly now: () => number };

async function answer(notary: Notary, wanted: WantedKeys, validUntil: number): Promise<RawJson> {
  return rawJson(`{"server_keys":${await notary.query(wanted, validUntil)}}`);
}

export const queryServerKeys = endpoint({ ...operation, rateLimit: 'key-query' }, ({ notary, now }: Services) => {
  // "If not supplied, the notary server MUST use the current time."
  return ({ params, query: { minimum_valid_until_ts: until = now() } }) =>
    answer(notary, new Map([[params.serverName, new Map()]]), until);
});

export const queryServerKey = endpoint({ ...operationForKey, rateLimit: 'key-query' }, ({ notary, now }: Services) => {
  return ({ params: { serverName, keyId }, query: { minimum_valid_until_ts: until = now() } }) =>
    answer(notary, new Map([[serverName, new Map([[keyId, until]])]]), until);
});

export const queryManyServerKeys = endpoint(
  { ...operationForMany, rateLimit: 'key-query' },
  ({ notary, now }: Services) => {
    return ({ body }) => {
      const at = now();
      const wanted = Object.entries(body.server_keys).map(([serverName, keys]) => {
        const keyIds = Object.entries(keys).map(
          ([keyId, { minimum_valid_until_ts: until = at }]) => [keyId, until] as const,
        );
        return [serverName, new Map(keyIds)] as const;
      });
      return answer(notary, new Map(wanted), at);
    };
  },
);
