import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { oauthRequests } from '@portico/storage/stores/oauth/oauth-requests.ts';
import type { ProviderSession } from '@portico/storage/stores/accounts/provider-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from '../accounts/access-tokens.ts';
import { type Browser, hashBrowser } from '../sso/browser.ts';
import type { Wish } from './wish.ts';

/** What somebody is asked next. */
export type Asked =
  /** Who they are; where they want a new account, what it is to be called. */
  | { readonly step: 'log-in'; readonly wish: Wish; readonly wantsAccount: boolean }
  /** What else a new account takes: a stage of user-interactive authentication. */
  | { readonly step: 'stage'; readonly wish: Wish; readonly session: string; readonly stage: string }
  /** Whether the client is to get in. */
  | {
      readonly step: 'consent';
      readonly wish: Wish;
      readonly userId: string;
      /** By which session of another service they came. */
      readonly cameWith?: ProviderSession;
    };

export type Step = Asked['step'];

/** A question that was found; used up in the commit that goes on with it. */
export type Found<S extends Step> = {
  readonly asked: Extract<Asked, { step: S }>;
  /** The one that it was asked in, and is now. */
  readonly browser: Browser;
  useUp(set: WriteSet): void;
};

/** Logins under way: rows, so that any process can go on with them, each step for one browser, one use and ten minutes. */
export interface OAuthRequests {
  /** Answers by what the step is known. `also` is committed with it. */
  start(asked: Asked, browser: Browser, also?: (set: WriteSet) => void): Promise<string>;
  /** Throws `oauth.over` where there is none that asks this, and `sso.other-browser`. */
  find<S extends Step>(request: string, browser: Browser | undefined, ...steps: readonly S[]): Promise<Found<S>>;
}

const lifetime = 10 * 60 * 1000;

type Dependencies = {
  readonly db: Database;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

export function createOAuthRequests({ db, now, randomBytes }: Dependencies): OAuthRequests {
  return {
    async start(asked, browser, also) {
      const request = newAccessToken(randomBytes);
      const set = createWriteSet();
      also?.(set);
      const row = {
        step: asked.step,
        browser_hash: hashBrowser(browser),
        network: browser.network,
        user_id: asked.step === 'consent' ? asked.userId : null,
        details: JSON.stringify(asked),
        expires_at: now() + lifetime,
      };
      oauthRequests.add(set, hashToken(request), row, now());
      await db.commit(set);
      return request;
    },
    async find<S extends Step>(request: string, browser: Browser | undefined, ...steps: readonly S[]) {
      const hash = hashToken(request);
      const row = await oauthRequests.find(db, hash);
      if (row === undefined || row.expires_at <= now()) throw new MatrixError('oauth.over');
      if (browser === undefined || hashBrowser(browser) !== row.browser_hash) {
        throw new MatrixError('sso.other-browser');
      }
      if (!steps.some((step) => step === row.step)) throw new MatrixError('oauth.over');
      return {
        asked: JSON.parse(row.details) as Extract<Asked, { step: S }>,
        browser,
        useUp: (set: WriteSet) => oauthRequests.use(set, hash, row.step, now()),
      };
    },
  };
}
