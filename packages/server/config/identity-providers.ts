import { readFileSync } from 'node:fs';
import type { IdentityProvider } from './identity-provider.ts';
import type { Problem, RawMapping } from './raw.ts';
import type { schema } from './schema.ts';
import type { ValuesOf } from './setting.ts';

type Values = ValuesOf<typeof schema>;
type Written = Values['singleSignOn']['providers'][number];

/** Checks what only several settings together can get wrong, and reads the secrets. */
export function readIdentityProviders(
  { singleSignOn: { providers } }: Values,
  raw: RawMapping,
  problems: Problem[],
): readonly IdentityProvider[] {
  const origin = raw.entries.get('single_sign_on')?.origin ?? 'the configuration';
  return providers.map((written, index) => {
    const path = `single_sign_on.providers[${index}]`;
    const report = (message: string): void => void problems.push({ origin, message });
    if (providers.findIndex(({ id }) => id === written.id) !== index) {
      report(`${path}.id is that of an earlier provider already`);
    }
    return complete(written, readSecret(written, path, report));
  });
}

export function secretFiles({ singleSignOn: { providers } }: Values): readonly (string | undefined)[] {
  return providers.map((provider) => provider.client_secret_file);
}

function complete(written: Written, clientSecret: string | undefined): IdentityProvider {
  const { claims = {}, scopes = ['openid', 'profile', 'email'] } = written;
  return {
    id: written.id,
    name: written.name,
    icon: written.icon,
    brand: written.brand,
    issuer: written.issuer,
    clientId: written.client_id,
    clientSecret,
    // Without it a provider speaks OAuth 2.0 alone, and says of nobody who they are.
    scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    claims: {
      localpart: claims.localpart ?? 'preferred_username',
      displayName: claims.display_name ?? 'name',
      email: claims.email ?? 'email',
    },
    requiredClaims: written.required_claims ?? new Map(),
    newAccounts: written.new_accounts ?? 'nobody',
    adoptsAccounts: written.adopt_accounts ?? false,
    endsSessions: written.backchannel_logout_enabled ?? false,
  };
}

function readSecret(
  { client_secret: secret, client_secret_file: file }: Written,
  path: string,
  report: (message: string) => void,
): string | undefined {
  if (file === undefined) return secret;
  if (secret !== undefined) report(`${path}.client_secret and client_secret_file are both given: it takes one of them`);
  const [line = ''] = readFileSync(file, 'utf8').split(/\r?\n/, 1);
  if (line === '') report(`${path}.client_secret_file is a file without a secret in its first line`);
  return line;
}
