/** "It MUST NOT exceed 255 ASCII characters in length": https://openid.net/specs/openid-connect-core-1_0.html#IDToken */
export function isSubject(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(value);
}

/**
 * What a provider calls a session, as far as it can be kept.
 *
 * > Its value is a case-sensitive string […] other syntax for this claim is not defined
 *
 * {@link https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout}
 */
export function parseSessionId(value: unknown): string | undefined {
  return typeof value === 'string' && /^[\x20-\x7e]{1,512}$/.test(value) ? value : undefined;
}
