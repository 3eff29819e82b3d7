import { nameOfClient, parseClientAddress, targetOfClient } from './client-address.ts';
import type { ExternalPerson } from './person.ts';
import type { Running } from './running-logins.ts';

/** A client as people are shown it, and where it is, since a form leads there. */
type ShownClient = { readonly client: string; readonly target: string };

/** What the browser is shown, or where it goes. */
export type SsoStep =
  /** On with the login that has this name. */
  | { readonly kind: 'go-on'; readonly login: string }
  /** To the client, with a token in the address. */
  | { readonly kind: 'leave'; readonly to: string }
  | ({ readonly kind: 'choose-name'; readonly suggestion: string; readonly problem?: string } & ShownClient)
  | ({ readonly kind: 'ask-hand-over'; readonly userId: string } & ShownClient)
  | { readonly kind: 'ask-confirm'; readonly userId: string; readonly wanted: string }
  | { readonly kind: 'ask-link'; readonly userId: string; readonly provider: string }
  | { readonly kind: 'linked'; readonly userId: string; readonly provider: string }
  /** A stage of user-interactive authentication is passed. */
  | { readonly kind: 'confirmed' };

/** What somebody is asked who is back from a provider. */
export function question(running: Exclude<Running, { step: 'provider' }>): SsoStep {
  switch (running.step) {
    case 'name':
      return {
        kind: 'choose-name',
        suggestion: suggestionOf(running.person),
        ...(running.problem !== undefined && { problem: running.problem }),
        ...show(running.redirectUrl),
      };
    case 'hand-over':
      return { kind: 'ask-hand-over', userId: running.userId, ...show(running.redirectUrl) };
    case 'confirm':
      return { kind: 'ask-confirm', userId: running.userId, wanted: running.wanted };
    case 'link':
      return { kind: 'ask-link', userId: running.userId, provider: running.person.provider };
    default:
      return running satisfies never;
  }
}

function show(redirectUrl: string): ShownClient {
  const url = parseClientAddress(redirectUrl);
  return { client: nameOfClient(url), target: targetOfClient(url) };
}

/** As near to what they are called where they came from as a user ID can be. */
function suggestionOf({ localpart = '' }: ExternalPerson): string {
  const [beforeAt = ''] = localpart.split('@', 1);
  return beforeAt.toLowerCase().replaceAll(/[^a-z0-9._=/+-]/g, '');
}
