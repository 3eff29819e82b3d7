import { Type } from 'typebox';
import type { Quarantine } from '../../../services/media/quarantine.ts';
import { endpoint } from '../../endpoint.ts';
import { emptyObject } from '../../schemas.ts';

type Services = { readonly quarantine: Quarantine };
const params = Type.Object({ serverName: Type.String(), mediaId: Type.String() });

const mediaQuarantined = Type.Object({ num_quarantined: Type.Integer() }, { title: 'MediaQuarantined' });

export const quarantineMedia = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/media/quarantine/:serverName/:mediaId',
    operationId: 'quarantineMedia',
    summary: 'Keeps a file from everybody, whether it is here already or not.',
    auth: 'admin',
    params,
    response: emptyObject,
  },
  ({ quarantine }: Services) =>
    async ({ sender, params: { serverName, mediaId } }) => {
      await quarantine.add(sender.userId, serverName, mediaId);
      return {};
    },
);

export const releaseMedia = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/media/unquarantine/:serverName/:mediaId',
    operationId: 'releaseMedia',
    summary: 'Gives a file to people again.',
    auth: 'admin',
    params,
    response: emptyObject,
  },
  ({ quarantine }: Services) =>
    async ({ params: { serverName, mediaId } }) => {
      await quarantine.lift(serverName, mediaId);
      return {};
    },
);

export const quarantineMediaOfUser = endpoint(
  {
    method: 'POST',
    path: '/_synapse/admin/v1/user/:userId/media/quarantine',
    operationId: 'quarantineMediaOfUser',
    summary: 'Keeps from everybody what somebody of this server has uploaded until now.',
    auth: 'admin',
    params: Type.Object({ userId: Type.String() }),
    response: mediaQuarantined,
  },
  ({ quarantine }: Services) =>
    async ({ sender, params: { userId } }) => ({
      num_quarantined: await quarantine.addAllOf(sender.userId, userId),
    }),
);
