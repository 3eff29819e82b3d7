import type { OAuth } from '../../../services/oauth/oauth.ts';
import type { BaseUrl } from '../discovery/base-url.ts';
import type { SsoServices } from '../sso/services.ts';

/** What the endpoints of OAuth 2.0 are made of. Without it there are none of them. */
export type OAuthServices = Pick<SsoServices, 'browserCookie' | 'serverName' | 'sso'> & {
  readonly oauth: OAuth;
  readonly discovery: BaseUrl;
};
