import type { WriteSet } from '@portico/storage';
import { findRefusal } from '../../errors/from-storage.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { RegisterRequest, Registration, RegistrationMode } from '../accounts/registration.ts';
import type { StageFallback, StageFields, StageStep } from '../accounts/stage-fallback.ts';
import type { Stage } from '../accounts/uia.ts';
import type { OAuthClients } from './clients.ts';
import type { OAuthRequests } from './requests.ts';
import type { OAuthStep } from './steps.ts';
import { showClient, type Wish } from './wish.ts';
import type { Browser } from '../sso/browser.ts';

export type NewAccountFields = StageFields & {
  readonly username: string | undefined;
  /** The password once more. */
  readonly again: string | undefined;
};

/** Makes accounts on pages, by the rules and stages of all other registrations. */
export interface NewAccounts {
  show(request: string, browser: Browser | undefined): Promise<OAuthStep>;
  submit(request: string, browser: Browser | undefined, fields: NewAccountFields): Promise<OAuthStep>;
}

type Dependencies = {
  readonly clients: OAuthClients;
  readonly requests: OAuthRequests;
  readonly registration: Registration;
  readonly stageFallback: StageFallback;
  readonly mode: RegistrationMode;
};

type Progress =
  | { readonly kind: 'made'; readonly userId: string }
  | { readonly kind: 'stage'; readonly session: string; readonly stage: Stage };

type UseUp = (set: WriteSet) => void;

export function createNewAccounts(dependencies: Dependencies): NewAccounts {
  const { clients, requests, registration, stageFallback, mode } = dependencies;

  async function showForm(request: string, wish: Wish): Promise<OAuthStep & { kind: 'new-account' }> {
    const client = await clients.find(wish.clientId);
    if (client === undefined) throw new MatrixError('oauth.unknown-client');
    return { kind: 'new-account', client: showClient(client), request, isOpen: mode !== 'closed' };
  }

  /** Registers as far as it goes without another answer: what nothing is asked for is passed. */
  async function register(given: RegisterRequest): Promise<Progress> {
    try {
      const made = await registration.register({ ...given, inhibit_login: true }, { kind: 'no-token' });
      return { kind: 'made', userId: made.user_id };
    } catch (error) {
      if (!(error instanceof MatrixError) || error.reason !== 'uia.required') throw error;
      const { session, completed = [] } = error.fields as { session: string; completed?: readonly string[] };
      const stage = registration.challenge.flows[0]?.find((each) => !completed.includes(each));
      if (stage === undefined) throw error;
      if (stage === 'm.login.dummy') return register({ auth: { type: stage, session } });
      return { kind: 'stage', session, stage };
    }
  }

  async function goOn(progress: Progress, wish: Wish, browser: Browser, useUp: UseUp): Promise<OAuthStep> {
    const isMade = progress.kind === 'made';
    const next = isMade
      ? ({ step: 'consent', wish, userId: progress.userId } as const)
      : ({ step: 'stage', wish, session: progress.session, stage: progress.stage } as const);
    const request = await requests.start(next, browser, useUp);
    return { kind: 'go-on', page: isMade ? 'consent' : 'register', request };
  }

  return {
    async show(request, browser) {
      const { asked } = await requests.find(request, browser, 'log-in', 'stage');
      if (asked.step === 'log-in') return showForm(request, asked.wish);
      return { kind: 'stage', asked: await stageFallback.open(asked.session, asked.stage) };
    },
    async submit(request, by, fields) {
      const { asked, browser, useUp } = await requests.find(request, by, 'log-in', 'stage');
      const { wish } = asked;
      if (asked.step === 'stage') {
        const step: StageStep = await stageFallback.submit(asked.session, asked.stage, fields);
        if (step.kind !== 'done') return { kind: 'stage', asked: step };
        return goOn(await register({ auth: { session: asked.session } }), wish, browser, useUp);
      }
      const { username = '', password = '', again } = fields;
      try {
        if (password !== again) throw new MatrixError('oauth.passwords-differ');
        return await goOn(await register({ username, password }), wish, browser, useUp);
      } catch (error) {
        const refusal = findRefusal(error);
        if (refusal === undefined || !correctable.has(refusal.reason)) throw error;
        return { ...(await showForm(request, wish)), name: username, problem: refusal.message };
      }
    },
  };
}

/** What another name, or another password, puts right. */
const correctable: ReadonlySet<string> = new Set([
  'oauth.passwords-differ',
  'user.taken',
  'user.invalid-name',
  'user.name-too-long',
  'app-service.exclusive',
  'password.empty',
  'password.too-long',
]);
