import { objectsOf, textOf } from './json.ts';
import { type Provider, providersOf } from './log-in.ts';
import type { Session } from './session.ts';

/** Who somebody is at a service, by way of which they log in. */
export type Link = { readonly provider: string; readonly subject: string };

/** How somebody logs in, and how they could. */
export type WaysIn = {
  readonly hasPassword: boolean;
  readonly links: readonly Link[];
  readonly providers: readonly Provider[];
};

export const linksPath = '_portico/client/v1/sso/links';

export async function readWaysIn(session: Session): Promise<WaysIn> {
  const answer = await session.ask({ path: linksPath });
  const links = objectsOf(answer['links']).map((link) => ({
    provider: textOf(link['provider']) ?? '',
    subject: textOf(link['subject']) ?? '',
  }));
  return { hasPassword: answer['has_password'] !== false, links, providers: providersOf(answer['providers']) };
}

/** The services at which they can show who they are. */
export function usableProviders({ links, providers }: WaysIn): readonly Provider[] {
  return providers.filter(({ id }) => links.some(({ provider }) => provider === id));
}
