/** What is known of a service by way of which people log in. */
export type IdentityProvider = {
  readonly id: string;
  readonly name: string;
  readonly icon: string | undefined;
  readonly brand: string | undefined;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly scopes: readonly string[];
  /** The names of claims. */
  readonly claims: { readonly localpart: string; readonly displayName: string; readonly email: string };
  /** Claims, with the values that will do. */
  readonly requiredClaims: ReadonlyMap<string, readonly string[]>;
  readonly newAccounts: 'nobody' | 'everybody';
  /** Whether somebody who has the user name of an account gets into it. */
  readonly adoptsAccounts: boolean;
  /** Whether it may log people out here. */
  readonly endsSessions: boolean;
};
