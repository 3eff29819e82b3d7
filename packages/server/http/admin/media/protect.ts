import { Type } from 'typebox';
import type { Quarantine } from '../../../services/media/quarantine.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

type Services = { readonly quarantine: Quarantine };
const params = Type.Object({ mediaId: Type.String() });

export const protectMedia = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/media/protect/:mediaId',
    operationId: 'protectMedia',
    summary: 'Keeps a file of this server from being quarantined.',
    auth: 'admin',
    params,
    response: emptyObject,
  },
  ({ quarantine }: Services) =>
    async ({ params: { mediaId } }) => {
      await quarantine.protect(mediaId, true);
      return {};
    },
);

export const unprotectMedia = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/media/unprotect/:mediaId',
    operationId: 'unprotectMedia',
    summary: 'Lets a file of this server be quarantined again.',
    auth: 'admin',
    params,
    response: emptyObject,
  },
  ({ quarantine }: Services) =>
    async ({ params: { mediaId } }) => {
      await quarantine.protect(mediaId, false);
      return {};
    },
);
