import type { Database } from '@portico/storage';
import { findExternalOwner } from '@portico/storage/stores/accounts/external-ids.ts';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { findRefusal } from '../../errors/from-storage.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Confirmations } from './confirmations.ts';
import type { Entry } from './entry.ts';
import type { ExternalLinks } from './external-links.ts';
import { isNameProblem, type Newcomers } from './newcomers.ts';
import { cameWith, type ExternalPerson } from './person.ts';
import type { Purpose, RunningLogins } from './running-logins.ts';
import { requireOpenAccount } from './standing.ts';
import type { SsoStep } from './steps.ts';
import type { Browser } from './browser.ts';

/** Somebody of whom a provider has said who they are. */
export type Arrival = {
  readonly provider: IdentityProvider;
  readonly person: ExternalPerson;
  readonly browser: Browser;
};

/** What becomes of somebody who is back, by what they went for. */
export interface Arrivals {
  receive(arrival: Arrival, purpose: Purpose): Promise<SsoStep>;
}

type Welcome = { readonly userId?: string; readonly problem?: string };

type Dependencies = {
  readonly db: Database;
  readonly logins: RunningLogins;
  readonly newcomers: Newcomers;
  readonly entry: Entry;
  readonly links: ExternalLinks;
  readonly confirmations: Confirmations;
};

export function createArrivals(dependencies: Dependencies): Arrivals {
  const { db, logins, newcomers, entry, links, confirmations } = dependencies;

  async function logIn({ provider, person, browser }: Arrival, redirectUrl: string): Promise<SsoStep> {
    const known = await newcomers.findAccount(provider, person);
    const { userId, problem } = known === undefined ? await welcome(provider, person) : { userId: known };
    if (userId !== undefined) return entry.enter({ userId, redirectUrl, cameWith: cameWith(person) }, browser);
    const question = { step: 'name', redirectUrl, person, ...(problem !== undefined && { problem }) } as const;
    return { kind: 'go-on', login: await logins.start(question, browser) };
  }

  /** Makes an account of the name that they have there. Where it will not do, they have to choose another. */
  async function welcome(provider: IdentityProvider, person: ExternalPerson): Promise<Welcome> {
    newcomers.refuse(provider, person);
    if (person.localpart === undefined) return {};
    try {
      return { userId: await newcomers.create(person, person.localpart) };
    } catch (error) {
      const refusal = findRefusal(error);
      if (!isNameProblem(refusal)) throw error;
      return { problem: refusal.message };
    }
  }

  /** Whoever has made the session may have led them here: they are asked whether they want what it is for. */
  async function askToConfirm({ person, browser }: Arrival, userId: string, session: string): Promise<SsoStep> {
    if ((await findExternalOwner(db, person)) !== userId) throw new MatrixError('sso.other-person');
    await requireOpenAccount(db, userId);
    const { wanted } = await confirmations.find(session);
    return { kind: 'go-on', login: await logins.start({ step: 'confirm', userId, session, wanted }, browser) };
  }

  async function askForLink({ person, browser }: Arrival, userId: string): Promise<SsoStep> {
    await links.checkFree(userId, person);
    return { kind: 'go-on', login: await logins.start({ step: 'link', userId, person }, browser) };
  }

  return {
    receive(arrival, purpose) {
      switch (purpose.kind) {
        case 'login':
          return logIn(arrival, purpose.redirectUrl);
        case 'confirm':
          return askToConfirm(arrival, purpose.userId, purpose.session);
        case 'link':
          return askForLink(arrival, purpose.userId);
        default:
          return purpose satisfies never;
      }
    },
  };
}
