import { type ComponentChild, h } from 'preact';
import type { Provider } from './server/log-in.ts';
import { expectReturn, type Place } from './server/return.ts';
import type { Server } from './server/server.ts';

type Props = { readonly server: Server; readonly place: Place; readonly providers: readonly Provider[] };

/** Where else one can log in. */
export function ProvidersList({ server, place, providers }: Props): ComponentChild {
  if (providers.length === 0) return null;
  const query = new URLSearchParams({ redirectUrl: expectReturn(place).href });
  return h(
    'section',
    { 'aria-label': 'Log in by way of' },
    providers.map(({ id, name }) =>
      h(
        'p',
        { key: id },
        h(
          'a',
          { href: server.addressOf(`_matrix/client/v3/login/sso/redirect/${encodeURIComponent(id)}?${query}`).href },
          `Log in with ${name}`,
        ),
      ),
    ),
  );
}
