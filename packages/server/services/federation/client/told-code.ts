/**
 * The codes of the spec that another server's refusal may have where a client is told of it. All others are about a session,
 * an account or the server of the client: the word of a stranger must not end, lock or slow down any of these.
 */
const ofRooms: ReadonlySet<string> = new Set([
  'M_BAD_ALIAS',
  'M_BAD_STATE',
  'M_FORBIDDEN',
  'M_INVITE_BLOCKED',
  'M_NOT_FOUND',
  'M_ROOM_IN_USE',
  'M_SERVER_NOT_TRUSTED',
  'M_TOO_LARGE',
  'M_UNABLE_TO_AUTHORISE_JOIN',
  'M_UNABLE_TO_GRANT_JOIN',
  'M_UNKNOWN',
  'M_UNSUPPORTED',
  'M_UNSUPPORTED_ROOM_VERSION',
]);

/** What servers call by names of their own, written as reversed domains. */
const custom = /^(?:[A-Z][A-Z0-9_-]{0,99}\.)+([A-Z][A-Z0-9_]{0,99})$/;
const longest = 255;

/** What proposals call, under a name of their own, what a client must not be told by strangers. */
const aboutClients = /TOKEN|SESSION|LOGIN|LOGOUT|ACCOUNT|SUSPENDED|LOCKED|DEACTIVATED|LIMIT|CONSENT|UNAUTHORI[SZ]ED/;

/** The code of another server's refusal, where clients may be told of it. */
export function toldCode(errcode: string | undefined): string | undefined {
  if (errcode === undefined || errcode.length > longest) return undefined;
  const name = custom.exec(errcode)?.[1];
  if (name === undefined) return ofRooms.has(errcode) ? errcode : undefined;
  return aboutClients.test(name) ? undefined : errcode;
}
