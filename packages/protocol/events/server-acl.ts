import { compileGlob, isGlob, type GlobMatcher } from '../glob.ts';
import { splitServerName } from '../ids/server-name.ts';
import type { JsonObject, JsonValue } from '../json/value.ts';
import { reject, type Reject } from './decision.ts';

export type AclRule = 'acl.server_name' | 'acl.ip_literal' | 'acl.denied' | 'acl.not_allowed';
export type AclDecision = { readonly kind: 'allow' } | Reject<AclRule>;

/** The content of an `m.room.server_acl` event, ready to be asked. */
export type ServerAcl = (serverName: string) => AclDecision;

const allow: AclDecision = Object.freeze({ kind: 'allow' });

/** The answer where the room state has no `m.room.server_acl`. */
export const noServerAcl: ServerAcl = () => allow;

/**
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mroomserver_acl}
 *
 * Beyond the letter, so that a denied server cannot come back under another spelling of its address: a dot at the end of
 * the name does not count when the name is denied, and a name that ends in a number is an address.
 */
export function compileServerAcl(content: JsonObject): ServerAcl {
  const allowIpLiterals = content.allow_ip_literals !== false;
  const isDenied = compileList(content.deny);
  const isAllowed = compileList(content.allow);
  return (serverName) => {
    const name = splitServerName(serverName);
    if (name === undefined) return reject('acl.server_name', 'Not a server name');
    // "When comparing against the server ACLs, the suspect server's port number must not be considered."
    const host = name.host.toLowerCase();
    const withoutDot = host.replace(/\.+$/, '');
    if (!allowIpLiterals && (name.kind !== 'dns' || endsInNumber.test(withoutDot))) {
      return reject('acl.ip_literal', 'The room does not allow servers named by IP addresses');
    }
    if (isDenied(host) || isDenied(withoutDot)) return reject('acl.denied', 'The room denies this server');
    return isAllowed(host) ? allow : reject('acl.not_allowed', 'The room does not allow this server');
  };
}

/** {@link https://url.spec.whatwg.org/#ends-in-a-number-checker} */
const endsInNumber = /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/;

/** "Defaults to an empty list when not provided"; entries that are no strings match nothing. */
function compileList(value: JsonValue | undefined): GlobMatcher {
  const literals = new Set<string>();
  const globs: GlobMatcher[] = [];
  for (const entry of Array.isArray(value) ? (value as readonly JsonValue[]) : []) {
    if (typeof entry !== 'string') continue;
    if (isGlob(entry)) globs.push(compileGlob(entry.toLowerCase()));
    else literals.add(entry.toLowerCase());
  }
  return (host) => literals.has(host) || globs.some((matches) => matches(host));
}
