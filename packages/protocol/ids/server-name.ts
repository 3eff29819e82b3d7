import { isIpv4Literal, isIpv6Literal } from './ip-literal.ts';

declare const serverNameBrand: unique symbol;
/** A server name that {@link parseServerName} accepted. Case matters. */
export type ServerName = string & { readonly [serverNameBrand]: true };

export type ServerNameParts = {
  /** The host as written, with brackets around an IPv6 literal. */
  readonly host: string;
  readonly port: string | undefined;
  readonly kind: 'ipv4' | 'ipv6' | 'dns';
};

const dnsName = /^[0-9A-Za-z.-]{1,255}$/;
const withPort = /^(.*):([0-9]{1,5})$/s;

/** {@link https://spec.matrix.org/v1.19/appendices/#server-name} */
export function splitServerName(text: string): ServerNameParts | undefined {
  const match = withPort.exec(text);
  const host = match?.[1] ?? text;
  const port = match?.[2];
  if (host.startsWith('[')) {
    const literal = host.endsWith(']') && isIpv6Literal(host.slice(1, -1));
    return literal ? { host, port, kind: 'ipv6' } : undefined;
  }
  if (!dnsName.test(host)) return undefined;
  return { host, port, kind: isIpv4Literal(host) ? 'ipv4' : 'dns' };
}

const plainName = /^[0-9A-Za-z.-]{1,255}(?::[0-9]{1,5})?$/;

/** A host or IP literal with or without a port. {@link https://spec.matrix.org/v1.19/appendices/#server-name} */
export function isServerName(text: string): text is ServerName {
  return plainName.test(text) || (text.startsWith('[') && splitServerName(text) !== undefined);
}

/** The text as a server name, or `undefined` where it is none. */
export function parseServerName(text: string): ServerName | undefined {
  return isServerName(text) ? text : undefined;
}
