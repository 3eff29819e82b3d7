import { Type } from 'typebox';
import type { Bindings } from '../../../../services/third-party-ids/bindings.ts';
import { canonical } from '../../../../services/third-party-ids/canonical.ts';
import { endpoint } from '../../../endpoint.ts';
import { identifier, unbound } from './schemas.ts';

export const unbindThirdPartyId = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/3pid/unbind',
    unstablePaths: ['/_matrix/client/unstable/account/3pid/unbind'],
    operationId: 'unbind3pidFromAccount',
    summary: "Removes a user's third-party identifier from an identity server.",
    auth: 'user',
    rateLimit: 'own-password',
    body: Type.Object({ ...identifier, id_server: Type.Optional(Type.String()) }, { title: 'ThirdPartyIdUnbinding' }),
    response: unbound,
  },
  ({ bindings }: { bindings: Bindings }) =>
    async ({ sender, body: { id_server: idServer, ...given } }) => ({
      id_server_unbind_result: await bindings.unbind(sender.userId, [canonical(given)], idServer),
    }),
);
