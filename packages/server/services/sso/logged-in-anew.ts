import { MatrixError } from '../../errors/matrix-error.ts';

/** What is known of a login at a provider. */
type Said = {
  /** "Time when the End-User authentication occurred", in seconds. */
  readonly authTime: unknown;
  /** Which claims the provider says that it has. */
  readonly claimsSupported: unknown;
};

/** Milliseconds by which the clocks of two servers may differ. */
const tolerance = 60_000;

/**
 * Throws `sso.not-anew` where the provider has taken somebody for who they were before: that a browser is logged in there
 * shows nobody who sits before it.
 *
 * > When `max_age` is used, the ID Token returned MUST include an `auth_time` Claim Value.
 *
 * Whoever sits there can take that out of the address, so that a token without it proves nothing, unless the provider never
 * says when: its people could confirm nothing at all, and are left with what the page asks them.
 *
 * {@link https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest}
 */
export function checkLoggedInAnew({ authTime, claimsSupported }: Said, since: number): void {
  if (authTime === undefined && !(Array.isArray(claimsSupported) && claimsSupported.includes('auth_time'))) return;
  const isAnew = typeof authTime === 'number' && authTime * 1000 >= since - tolerance;
  if (!isAnew) throw new MatrixError('sso.not-anew');
}
