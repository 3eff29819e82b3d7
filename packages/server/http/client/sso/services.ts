import { MatrixError } from '../../../errors/matrix-error.ts';
import type { OwnPassword } from '../../../services/accounts/own-password.ts';
import type { Sso } from '../../../services/sso/sso.ts';
import type { BrowserCookie } from './browser-cookie.ts';

export type SsoServices = {
  /** `undefined` where people do not log in by way of other services. */
  readonly sso: Sso | undefined;
  readonly browserCookie: BrowserCookie;
  readonly ownPassword: OwnPassword;
  readonly serverName: string;
};

/** Without providers there is nothing under these addresses. */
export function requireSso(sso: Sso | undefined): Sso {
  if (sso === undefined) throw new MatrixError('request.unknown-path');
  return sso;
}
