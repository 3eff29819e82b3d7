import type { Notary } from '../../services/federation/keys/notary.ts';
import type { OwnKeys } from '../../services/federation/keys/own-keys.ts';
import type { Endpoint } from '../endpoint.ts';
import { getVersion, type Program } from './get-version.ts';
import { getServerKeyById, getServerKeys } from './keys/get-server-keys.ts';
import { queryManyServerKeys, queryServerKey, queryServerKeys } from './keys/query-server-keys.ts';

/** The services that the endpoints of the server-server API are made of. */
export type FederationServices = {
  readonly ownKeys: OwnKeys;
  readonly notary: Notary;
  readonly program: Program;
  readonly now: () => number;
};

/** Every endpoint of the server-server API. */
export const federationEndpoints: readonly Endpoint<FederationServices>[] = [
  getVersion,
  getServerKeys,
  getServerKeyById,
  queryServerKeys,
  queryServerKey,
  queryManyServerKeys,
];
