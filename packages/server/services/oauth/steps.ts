import type { StageStep } from '../accounts/stage-fallback.ts';
import type { ShownClient } from './wish.ts';

/**
 * Whether the client is to administer the server: the person does not, and it does not ask; they do, and it does not ask; they do, and it
 * asks; it asks, and they do not.
 */
export type Power = 'none' | 'withheld' | 'asked' | 'refused';

/** What the browser is shown, or where it goes. */
export type OAuthStep =
  /** On with the step that has this name. */
  | { readonly kind: 'go-on'; readonly page: 'login' | 'register' | 'consent'; readonly request: string }
  /** To the client, with the answer in the address. */
  | { readonly kind: 'leave'; readonly to: string }
  | {
      readonly kind: 'log-in';
      readonly client: ShownClient;
      readonly request: string;
      /** Whether they can make an account here. */
      readonly offersAccounts: boolean;
      readonly problem?: string;
    }
  | {
      readonly kind: 'new-account';
      readonly client: ShownClient;
      readonly request: string;
      /** Whether one can be made without another service. */
      readonly isOpen: boolean;
      readonly name?: string;
      readonly problem?: string;
    }
  | { readonly kind: 'stage'; readonly asked: StageStep }
  | {
      readonly kind: 'consent';
      readonly client: ShownClient;
      readonly userId: string;
      readonly deviceId: string;
      readonly power: Power;
      /** The name of the device of theirs that the client takes over. */
      readonly takesOver?: string;
      /** Where the browser goes next. */
      readonly target?: string;
      /** What the device shows that waits, and since when it does, in milliseconds. */
      readonly waiting?: { readonly userCode: string; readonly since: number };
    }
  /** The device that waited gets in, or does not. */
  | { readonly kind: 'settled'; readonly isLetIn: boolean; readonly client: ShownClient };

/** What is wrong with a request, of which the client is told only if the person goes back to it. */
export type BackToClient = {
  readonly kind: 'back';
  readonly client: ShownClient;
  readonly problem: string;
  readonly to: string;
};
