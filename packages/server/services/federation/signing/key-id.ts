/**
 * > The version must have characters matching the regular expression `[a-zA-Z0-9_]`.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#publishing-keys}
 *
 * Servers in use have others as well; what matters is that it is short and shows.
 */
const keyId = /^ed25519:[!-~]{1,100}$/;

export function isKeyId(text: string): boolean {
  return keyId.test(text);
}
