import type { Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { listExternalIds } from '@portico/storage/stores/accounts/external-ids.ts';

/** A service by way of which people log in. */
export type LoginProvider = { readonly id: string; readonly name: string };

/** With how many others an account may be linked. */
export const maxExternalIds = 50;

/** How somebody can show who they are. */
export type WaysIn = { readonly hasPassword: boolean; readonly providers: readonly LoginProvider[] };

export interface LoginWays {
  of(userId: string): Promise<WaysIn>;
}

type Dependencies = { readonly db: Database; readonly providers: readonly LoginProvider[] };

export function createLoginWays({ db, providers }: Dependencies): LoginWays {
  return {
    async of(userId) {
      // Nobody has another way where there is none.
      if (providers.length === 0) return { hasPassword: true, providers };
      const [account, linked] = await Promise.all([findAccount(db, userId), listExternalIds(db, userId)]);
      const theirs = new Set(linked.map(({ provider }) => provider));
      return {
        hasPassword: typeof account?.password_hash === 'string',
        providers: providers.filter(({ id }) => theirs.has(id)),
      };
    },
  };
}
