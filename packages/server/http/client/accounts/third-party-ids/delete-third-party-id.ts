import { Type } from 'typebox';
import type { ThirdPartyIds } from '../../../../services/third-party-ids/third-party-ids.ts';
import { endpoint } from '../../../endpoint.ts';
import { identifier, unbound } from './schemas.ts';

export const deleteThirdPartyId = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/3pid/delete',
    unstablePaths: ['/_matrix/client/unstable/account/3pid/delete'],
    operationId: 'delete3pidFromAccount',
    summary: "Deletes a third-party identifier from the user's account.",
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object({ ...identifier, id_server: Type.Optional(Type.String()) }, { title: 'ThirdPartyIdDeletion' }),
    response: unbound,
  },
  ({ thirdPartyIds }: { thirdPartyIds: ThirdPartyIds }) =>
    async ({ sender, body: { id_server: idServer, ...given } }) => ({
      id_server_unbind_result: await thirdPartyIds.remove(sender.userId, given, idServer),
    }),
);
