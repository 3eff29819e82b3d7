import { getServerKey as operation, getServerKeyById as operationById } from '../../../federation-api/server-keys.ts';
import type { OwnKeys } from '../../../services/federation/keys/own-keys.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly ownKeys: OwnKeys };

export const getServerKeys = endpoint(
  operation,
  ({ ownKeys }: Services) =>
    () =>
      rawJson(ownKeys.answer()),
);

export const getServerKeyById = endpoint(
  operationById,
  ({ ownKeys }: Services) =>
    () =>
      rawJson(ownKeys.answer()),
);
