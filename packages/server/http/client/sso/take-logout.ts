import { Type } from 'typebox';
import { requireParameter } from '../../../services/oauth/parameters.ts';
import { rawBody } from '../../bytes.ts';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { emptyObject } from '../../schemas.ts';
import { readParameters } from '../oauth/read-parameters.ts';
import { requireSso, type SsoServices } from './services.ts';
import { ssoPath } from './way-back.ts';

/** {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest} */
export const takeSsoLogout = endpoint(
  {
    method: 'POST',
    path: `${ssoPath}/logout/:idpId`,
    operationId: 'takeSsoLogout',
    summary: 'Where a provider says whom it has logged out, with a logout token in a form.',
    auth: 'none',
    rateLimit: 'sso-logout',
    params: Type.Object({ idpId: Type.String() }),
    body: rawBody,
    response: emptyObject,
  },
  (services: SsoServices) =>
    async ({ params: { idpId }, body }) => {
      const sso = requireSso(services.sso);
      await sso.logouts.receive(idpId, requireParameter(await readParameters(body), 'logout_token'));
      return reply({}, { headers: { 'Cache-Control': 'no-store' } });
    },
);
