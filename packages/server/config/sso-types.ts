import { parseMxcUri } from '@portico/protocol/ids/mxc-uri.ts';
import { boolean, oneOf, readablePath, text } from './scalar-types.ts';
import { list, record } from './structured-types.ts';
import type { Raw } from './raw.ts';
import { reportWrong, scalarType, type ValueType } from './value-type.ts';

/** "Opaque identifier Grammar": https://spec.matrix.org/v1.19/appendices/#opaque-identifiers */
const providerId = scalarType('an ID of up to 100 letters, digits and . _ ~ -', (value) =>
  /^[A-Za-z0-9._~-]{1,100}$/.test(value) && !/^\.+$/.test(value) ? value : undefined,
);

const loopback = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

/**
 * Kept as it is written, its last slash included: providers compare it as text. Below `/.well-known/` it would be where a
 * provider says who it is, and not who it is.
 */
const issuer = scalarType(
  'an https address such as https://id.example.org, without /.well-known/; on this machine, http will do',
  (value) => {
    const url = URL.parse(value);
    if (!url || url.search || url.hash || url.username || url.password) return undefined;
    const isProtected = url.protocol === 'https:' || (url.protocol === 'http:' && loopback.test(url.hostname));
    return isProtected && !url.pathname.includes('/.well-known/') ? value : undefined;
  },
);

const mxcUri = scalarType('an address such as mxc://example.org/abc123', (value) =>
  parseMxcUri(value) === undefined ? undefined : value,
);

/** "Common Namespaced Identifier Grammar […] though excluding the namespace requirements" */
const brand = scalarType('a name such as github', (value) =>
  /^[a-z][a-z0-9._-]{0,254}$/.test(value) ? value : undefined,
);

/** What a claim must be, or which values do. */
export type RequiredClaim = readonly string[];

function valuesOf(raw: Raw): RequiredClaim | undefined {
  const items = raw.kind === 'list' ? raw.items : [raw];
  const values = items.flatMap((item) => (item.kind === 'scalar' && item.text !== '' ? [item.text] : []));
  return values.length === items.length && values.length > 0 ? values : undefined;
}

const requiredClaims: ValueType<ReadonlyMap<string, RequiredClaim>> = {
  description: 'an object of claims, each with the value that it must have or a list of values of which one will do',
  structured: true,
  parse(raw, context) {
    if (raw.kind !== 'mapping') return reportWrong(raw, context, this.description);
    const claims = new Map<string, RequiredClaim>();
    for (const [name, entry] of raw.entries) {
      const values = valuesOf(entry);
      if (values === undefined) return reportWrong(raw, context, this.description);
      claims.set(name, values);
    }
    return claims;
  },
};

const claims = record({}, { localpart: text, display_name: text, email: text });

export const identityProvider = record(
  { id: providerId, name: text, issuer, client_id: text },
  {
    icon: mxcUri,
    brand,
    client_secret: text,
    client_secret_file: readablePath,
    scopes: list(text, { least: 1 }),
    claims,
    required_claims: requiredClaims,
    new_accounts: oneOf('nobody', 'everybody'),
    adopt_accounts: boolean,
    backchannel_logout_enabled: boolean,
  },
);

/** An address with which the addresses of a client begin, or the scheme of an app. */
export const clientAddress = scalarType(
  'an address such as https://app.example.org, or the scheme of an app such as io.element.desktop:',
  (value) => {
    if (/^[a-z][a-z0-9+.-]{0,100}:$/.test(value) && !/^(https?|javascript|data|file|blob):$/.test(value)) return value;
    const url = URL.parse(value);
    const isPlain = url && /^https?:$/.test(url.protocol) && !url.search && !url.hash && !url.username && !url.password;
    return isPlain ? url.href : undefined;
  },
);
