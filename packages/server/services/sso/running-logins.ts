import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import type { ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { ssoLogins } from '@portico/storage/stores/accounts/sso-logins.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from '../accounts/access-tokens.ts';
import { type Browser, hashBrowser } from './browser.ts';
import type { ExternalPerson } from './person.ts';

/** What somebody comes for. */
export type Purpose =
  | { readonly kind: 'login'; readonly redirectUrl: string }
  /** Proves for a session of user-interactive authentication that they are who they are. */
  | { readonly kind: 'confirm'; readonly userId: string; readonly session: string; readonly since: number }
  | { readonly kind: 'link'; readonly userId: string };

/** Whose account it is, where they go, and with which session of a provider they came. */
export type Guest = {
  readonly userId: string;
  readonly redirectUrl: string;
  readonly cameWith?: ProviderSession | undefined;
};

/** What is done next. */
export type Running =
  /** They are at the provider, which has not led them back yet. */
  | { readonly step: 'provider'; readonly purpose: Purpose; readonly provider: string }
  /** They are new here, and choose what they are called. `problem`: why they cannot be called what they are there. */
  | {
      readonly step: 'name';
      readonly redirectUrl: string;
      readonly person: ExternalPerson;
      readonly problem?: string;
    }
  /** They are asked whether the client is to get a token. */
  | ({ readonly step: 'hand-over' } & Guest)
  /** They are asked whether they want what a session of user-interactive authentication is for. */
  | { readonly step: 'confirm'; readonly userId: string; readonly session: string; readonly wanted: string }
  /** They are asked whether they want to log in by the provider from now on. */
  | { readonly step: 'link'; readonly userId: string; readonly person: ExternalPerson };

/** A login that was found; used up in the commit that goes on with it. */
export type Found = { readonly running: Running; useUp(set: WriteSet): void };

/** Logins under way: rows, so that any process can go on with them, each for one browser, one use and ten minutes. */
export interface RunningLogins {
  /** By what a login can be known that begins. */
  newName(): string;
  /** Answers by what the login is known from now on: a new name, unless it has one. `also` is committed with it. */
  start(running: Running, browser: Browser, beginning?: StartOptions): Promise<string>;
  /** Throws `sso.over` where there is none, and `sso.other-browser`. */
  find(login: string, browser: Browser | undefined): Promise<Found>;
}

type StartOptions = { readonly name?: string; readonly also?: ((set: WriteSet) => void) | undefined };

const lifetime = 10 * 60 * 1000;

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

export function createRunningLogins({ db, now, randomBytes }: Dependencies): RunningLogins {
  const newName = (): string => newAccessToken(randomBytes);
  return {
    newName,
    async start(running, browser, { name: login = newName(), also } = {}) {
      const set = createWriteSet();
      also?.(set);
      const row = {
        step: running.step,
        browser_hash: hashBrowser(browser),
        network: browser.network,
        user_id: ownerOf(running) ?? null,
        details: JSON.stringify(running),
        expires_at: now() + lifetime,
      };
      ssoLogins.add(set, hashToken(login), row, now());
      await db.commit(set);
      return login;
    },
    async find(login, browser) {
      const hash = hashToken(login);
      const row = await ssoLogins.find(db, hash);
      if (row === undefined || row.expires_at <= now()) throw new MatrixError('sso.over');
      if (browser === undefined || hashBrowser(browser) !== row.browser_hash) {
        throw new MatrixError('sso.other-browser');
      }
      const running = JSON.parse(row.details) as Running;
      return { running, useUp: (set) => ssoLogins.use(set, hash, row.step, now()) };
    },
  };
}

/** Whose account it is about. */
function ownerOf(running: Running): string | undefined {
  switch (running.step) {
    case 'provider':
      return running.purpose.kind === 'login' ? undefined : running.purpose.userId;
    case 'name':
      return undefined;
    case 'hand-over':
    case 'confirm':
    case 'link':
      return running.userId;
    default:
      return running satisfies never;
  }
}
