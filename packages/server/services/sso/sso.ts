import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Answers } from './answers.ts';
import type { Arrivals } from './arrivals.ts';
import { type Browser, proofOf } from './browser.ts';
import { parseClientAddress } from './client-address.ts';
import type { Confirmations } from './confirmations.ts';
import type { ExternalLinks } from './external-links.ts';
import type { Intent, OidcClient } from './oidc-client.ts';
import { readPerson } from './person.ts';
import type { ProviderLogouts } from './provider-logouts.ts';
import type { Purpose, RunningLogins } from './running-logins.ts';
import { question, type SsoStep } from './steps.ts';

export type OfferedProvider = {
  readonly id: string;
  readonly name: string;
  readonly icon?: string;
  readonly brand?: string;
};

/** What begins with a login is committed with it. */
type Beginning = { readonly intent: Intent; readonly browser: Browser; readonly also?: (set: WriteSet) => void };

/**
 * Logging in by way of other services. Each login belongs to the browser that began it, by a secret that it keeps in a cookie:
 * nobody goes on with what somebody else has begun.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#sso-client-loginauthentication}
 */
export interface Sso {
  readonly providers: readonly OfferedProvider[];
  readonly links: ExternalLinks;
  readonly logouts: ProviderLogouts;
  /** Throws `sso.bad-redirect` unless a client may be there. */
  checkRedirect(redirectUrl: string): void;
  /** Begins a login; answers where the browser goes. Throws `sso.unknown-provider` and `sso.bad-redirect`. */
  begin(providerId: string, redirectUrl: string, beginning: Beginning): Promise<string>;
  /** Begins to confirm what a session of user-interactive authentication is for. */
  beginConfirming(providerId: string, session: string, browser: Browser): Promise<string>;
  /** Begins to link an account, whose owner has shown who they are. */
  beginLinking(providerId: string, userId: string, beginning: Omit<Beginning, 'intent'>): Promise<string>;
  /** The provider has led the browser back, with this query. */
  takeBack(providerId: string, query: string, browser: Browser | undefined): Promise<SsoStep>;
  /** What is asked next. */
  show(login: string, browser: Browser | undefined): Promise<SsoStep>;
  /** They have said yes to it. `name`: what somebody wants to be called who is new. */
  goOn(login: string, browser: Browser | undefined, name: string | undefined): Promise<SsoStep>;
}

type Dependencies = {
  readonly db: Database;
  readonly clients: readonly OidcClient[];
  readonly logins: RunningLogins;
  readonly arrivals: Arrivals;
  readonly answers: Answers;
  readonly links: ExternalLinks;
  readonly logouts: ProviderLogouts;
  readonly confirmations: Confirmations;
  readonly now: () => number;
};

export function createSso(dependencies: Dependencies): Sso {
  const { db, clients, logins, arrivals, answers, links, logouts, confirmations, now } = dependencies;

  function getClient(providerId: string): OidcClient {
    const client = clients.find(({ provider }) => provider.id === providerId);
    if (client === undefined) throw new MatrixError('sso.unknown-provider');
    return client;
  }

  async function start(providerId: string, purpose: Purpose, { intent, browser, also }: Beginning): Promise<string> {
    const client = getClient(providerId);
    const state = logins.newName();
    // First of all: where the provider does not answer nothing has begun, and nothing is used up that it takes to begin.
    const url = await client.authorizationUrl(proofOf(browser, state), intent);
    await logins.start({ step: 'provider', purpose, provider: providerId }, browser, { name: state, also });
    return url;
  }

  return {
    providers: clients.map(({ provider: { id, name, icon, brand } }) => ({
      id,
      name,
      ...(icon !== undefined && { icon }),
      ...(brand !== undefined && { brand }),
    })),
    links,
    logouts,
    checkRedirect: (redirectUrl) => void parseClientAddress(redirectUrl),
    async begin(providerId, redirectUrl, beginning) {
      parseClientAddress(redirectUrl);
      return start(providerId, { kind: 'login', redirectUrl }, beginning);
    },
    async beginConfirming(providerId, session, browser) {
      const { userId } = await confirmations.find(session);
      const purpose: Purpose = { kind: 'confirm', userId, session, since: now() };
      return start(providerId, purpose, { intent: 'confirm', browser });
    },
    beginLinking: (providerId, userId, beginning) =>
      start(providerId, { kind: 'link', userId }, { ...beginning, intent: 'log-in' }),
    async takeBack(providerId, query, browser) {
      const client = getClient(providerId);
      const state = new URLSearchParams(query).get('state') ?? '';
      const { running, useUp } = await logins.find(state, browser);
      if (browser === undefined || running.step !== 'provider' || running.provider !== providerId) {
        throw new MatrixError('sso.over');
      }
      // Before anything is asked of the provider: what comes twice is refused, whatever becomes of the first.
      const set = createWriteSet();
      useUp(set);
      await db.commit(set);
      const { purpose } = running;
      const since = purpose.kind === 'confirm' ? purpose.since : undefined;
      // What the provider says of the session meanwhile is about this one, too.
      const begunAt = now();
      const claims = await client.redeem(query, proofOf(browser, state), since);
      const person = readPerson(client.provider, claims, begunAt);
      return arrivals.receive({ provider: client.provider, person, browser }, purpose);
    },
    async show(login, browser) {
      const { running } = await logins.find(login, browser);
      if (running.step === 'provider') throw new MatrixError('sso.over');
      return question(running);
    },
    async goOn(login, browser, name) {
      const { running, useUp } = await logins.find(login, browser);
      return answers.goOn(running, useUp, name);
    },
  };
}
