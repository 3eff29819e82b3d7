/** Why a scope is none that a client can be given. */
export type ScopeRule = 'scope.malformed' | 'scope.no-api' | 'scope.no-device' | 'scope.devices' | 'scope.device-id';

export type ScopeDecision =
  | {
      readonly kind: 'ok';
      /** Absent where an app for administrators names no device: it gets one. */
      readonly deviceId?: string;
      /** What of it can be given, in the words that the client has used; what is for administrators, to nobody else. */
      readonly granted: string;
    }
  | { readonly kind: 'refused'; readonly rule: ScopeRule };

/** Clients of matrix-rust-sdk use the names that the proposal had: both mean the same. */
const api: ReadonlySet<string> = new Set(['urn:matrix:client:api:*', 'urn:matrix:org.matrix.msc2967.client:api:*']);
/** What apps for administrators ask for, as services for logins to Synapse have it; the specification has no name for it yet. */
const admin = 'urn:synapse:admin:*';
const device = /^urn:matrix:(?:client|org\.matrix\.msc2967\.client):device:(.*)$/;

/** All that a client can ask for, but for its device. */
export const knownScopes: readonly string[] = ['urn:matrix:client:api:*', admin];

/**
 * > scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
 *
 * {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.3}
 */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * The homeserver "MAY reject a request for a `device_id` that […] contains characters outside the unreserved list", and takes them:
 * clients of matrix-rust-sdk that log in with a QR code are called by a key in Base64.
 */
const longestDeviceId = 255;
const longest = 2048;

/**
 * What a client asks for: everything that anybody may do, on one device, and what administrators do. What it asks for besides that
 * is not known here, and not given.
 *
 * Apps for administrators in use name no device, since the services that they were made for need none; all others have to.
 *
 * > There MUST be exactly one `urn:matrix:client:device:<device_id>` token in the requested scope in the login flow.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#scope}
 */
export function parseScope(text: string): ScopeDecision {
  if (text.length > longest) return { kind: 'refused', rule: 'scope.malformed' };
  const tokens = [...new Set(text.split(' ').filter((token) => token !== ''))];
  if (!tokens.every((token) => scopeToken.test(token))) return { kind: 'refused', rule: 'scope.malformed' };
  if (!tokens.some((token) => api.has(token))) return { kind: 'refused', rule: 'scope.no-api' };
  // Whoever says it in both words names one device all the same.
  const devices = new Set(tokens.flatMap((token) => device.exec(token)?.slice(1) ?? []));
  const [first, ...more] = devices;
  const granted = tokens.filter((token) => api.has(token) || device.test(token) || token === admin).join(' ');
  if (first === undefined) {
    return tokens.includes(admin) ? { kind: 'ok', granted } : { kind: 'refused', rule: 'scope.no-device' };
  }
  if (more.length > 0) return { kind: 'refused', rule: 'scope.devices' };
  if (first === '' || first.length > longestDeviceId) return { kind: 'refused', rule: 'scope.device-id' };
  return { kind: 'ok', deviceId: first, granted };
}

/** The same, on a device. */
export function withDevice(scope: string, deviceId: string): string {
  return `${scope} urn:matrix:client:device:${deviceId}`;
}

/** Whether it lets a client do what administrators do. */
export function isForAdministering(scope: string): boolean {
  return scope.split(' ').includes(admin);
}

/** Whether two scopes ask for the same, in whatever order. */
export function isSameScope(one: string, other: string): boolean {
  const tokens = (text: string): string =>
    [...new Set(text.split(' ').filter((token) => token !== ''))].sort().join(' ');
  return tokens(one) === tokens(other);
}
