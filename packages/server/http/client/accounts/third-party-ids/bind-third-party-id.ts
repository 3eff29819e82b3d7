import type { Bindings } from '../../../../services/third-party-ids/bindings.ts';
import { endpoint } from '../../../endpoint.ts';
import { emptyObject } from '../../../schemas.ts';
import { bindRequest } from './schemas.ts';

export const bindThirdPartyId = endpoint(
  {
    method: 'POST',
    path: '/_matrix/client/v3/account/3pid/bind',
    unstablePaths: ['/_matrix/client/unstable/account/3pid/bind'],
    operationId: 'bind3PID',
    summary: "Binds a 3PID to the user's account through an Identity Service.",
    auth: 'user',
    rateLimit: 'own-password',
    body: bindRequest,
    response: emptyObject,
  },
  ({ bindings }: { bindings: Bindings }) =>
    async ({ sender, body }) => {
      await bindings.bind(sender.userId, body);
      return {};
    },
);
