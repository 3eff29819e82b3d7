import type { Database } from '@portico/storage';
import { findExternalOwner } from '@portico/storage/stores/accounts/external-ids.ts';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { findRefusal } from '../../errors/from-storage.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { OwnPassword } from '../accounts/own-password.ts';
import type { Uia } from '../accounts/uia.ts';
import type { Entry } from './entry.ts';
import type { ExternalLinks } from './external-links.ts';
import { isNameProblem, type Newcomers } from './newcomers.ts';
import type { ExternalPerson } from './person.ts';
import type { Purpose, RunningLogins } from './running-logins.ts';
import { requireOpenAccount } from './standing.ts';
import type { SsoStep } from './steps.ts';

/** Somebody of whom a provider has said who they are. */
export type Arrival = {
  readonly provider: IdentityProvider;
  readonly person: ExternalPerson;
  readonly browser: string;
};

/** What becomes of somebody who is back, by what they went for. */
export interface Arrivals {
  receive(arrival: Arrival, purpose: Purpose): Promise<SsoStep>;
}

type Dependencies = {
  readonly db: Database;
  readonly logins: RunningLogins;
  readonly newcomers: Newcomers;
  readonly entry: Entry;
  readonly links: ExternalLinks;
  readonly uia: Uia;
  readonly ownPassword: OwnPassword;
};

export function createArrivals(dependencies: Dependencies): Arrivals {
  const { db, logins, newcomers, entry, links, uia, ownPassword } = dependencies;

  async function logIn({ provider, person, browser }: Arrival, redirectUrl: string): Promise<SsoStep> {
    const userId = (await newcomers.findAccount(provider, person)) ?? (await welcome(provider, person));
    if (userId !== undefined) return entry.enter(userId, redirectUrl, browser);
    return { kind: 'go-on', login: await logins.start({ step: 'name', redirectUrl, person }, browser) };
  }

  /** Makes an account of the name that they have there; `undefined` where it will not do, and they have to choose another. */
  async function welcome(provider: IdentityProvider, person: ExternalPerson): Promise<string | undefined> {
    newcomers.refuse(provider, person);
    if (person.localpart === undefined) return undefined;
    try {
      return await newcomers.create(person, person.localpart);
    } catch (error) {
      if (!isNameProblem(findRefusal(error))) throw error;
      return undefined;
    }
  }

  async function confirm({ person }: Arrival, userId: string, session: string): Promise<SsoStep> {
    if ((await findExternalOwner(db, person)) !== userId) throw new MatrixError('sso.other-person');
    await requireOpenAccount(db, userId);
    const operation = await uia.operationOf(session);
    const challenge = operation === undefined ? undefined : await ownPassword.findChallenge(operation);
    if (challenge?.userId !== userId) throw new MatrixError('sso.over');
    await uia.complete(challenge, session, 'm.login.sso');
    return { kind: 'confirmed' };
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
          return confirm(arrival, purpose.userId, purpose.session);
        case 'link':
          return askForLink(arrival, purpose.userId);
        default:
          return purpose satisfies never;
      }
    },
  };
}
