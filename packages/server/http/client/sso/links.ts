import { Type } from 'typebox';
import type { LoginWays } from '../../../services/accounts/login-ways.ts';
import { endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { emptyObject } from '../../schemas.ts';
import { authData } from '../accounts/schemas.ts';
import { requireSso, type SsoServices } from './services.ts';
import { ssoPath } from './way-back.ts';

const path = `${ssoPath}/links`;

const link = Type.Object(
  { provider: Type.String(), subject: Type.String(), linked_at: Type.Integer() },
  { title: 'LinkedProvider' },
);
const provider = Type.Object({ id: Type.String(), name: Type.String() }, { title: 'LinkableProvider' });

export const listLinkedProviders = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'listLinkedProviders',
    summary: 'Lists the services by way of which you log in, and those that there are.',
    auth: 'user',
    rateLimit: 'privacy',
    response: Type.Object(
      { links: Type.Array(link), providers: Type.Array(provider), has_password: Type.Boolean() },
      { title: 'LinkedProviders' },
    ),
  },
  (services: SsoServices & { readonly loginWays: LoginWays }) =>
    async ({ sender }) => {
      const { sso } = services;
      if (sso === undefined) return { links: [], providers: [], has_password: true };
      const [links, ways] = await Promise.all([sso.links.list(sender.userId), services.loginWays.of(sender.userId)]);
      return {
        links: links.map(({ provider: id, subject, linked_at: linkedAt }) => ({
          provider: id,
          subject,
          linked_at: linkedAt,
        })),
        providers: sso.providers.map(({ id, name }) => ({ id, name })),
        has_password: ways.hasPassword,
      };
    },
);

export const linkProvider = endpoint(
  {
    method: 'POST',
    path: `${path}/:idpId`,
    operationId: 'linkProvider',
    summary:
      'Begins to link your account with who you are at a service. The browser goes on at the address in the answer.',
    auth: 'user',
    rateLimit: 'own-password',
    params: Type.Object({ idpId: Type.String() }),
    body: Type.Object({ auth: Type.Optional(authData) }, { title: 'ProviderToLink' }),
    response: Type.Object({ url: Type.String() }, { title: 'WayToProvider' }),
  },
  (services: SsoServices) =>
    async ({ sender, params: { idpId }, body: { auth }, cookies, ip }) => {
      const sso = requireSso(services.sso);
      const wanted = 'log in by way of another service';
      const { useUp } = await services.ownPassword.require(sender, wanted, auth, [idpId]);
      const { browser, cookie } = services.browserCookie.readOrMake({ cookies, ip });
      const url = await sso.beginLinking(idpId, sender.userId, { browser, also: useUp });
      return reply({ url }, { headers: { 'Set-Cookie': cookie, 'Cache-Control': 'no-store' } });
    },
);

export const unlinkProvider = endpoint(
  {
    method: 'DELETE',
    path: `${path}/:idpId`,
    operationId: 'unlinkProvider',
    summary: 'Takes away a way to log in, unless it is the last one.',
    auth: 'user',
    rateLimit: 'own-password',
    params: Type.Object({ idpId: Type.String() }),
    body: Type.Object({ subject: Type.String(), auth: Type.Optional(authData) }, { title: 'ProviderToUnlink' }),
    response: emptyObject,
  },
  (services: SsoServices) =>
    async ({ sender, params: { idpId }, body: { subject, auth } }) => {
      await requireSso(services.sso).links.remove(sender, { provider: idpId, subject }, auth);
      return {};
    },
);
