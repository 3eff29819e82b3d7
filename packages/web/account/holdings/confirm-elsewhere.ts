import { type ComponentChild, h } from 'preact';
import type { Provider } from '../server/log-in.ts';
import type { Session } from '../server/session.ts';

type Props = {
  readonly session: Session;
  readonly providers: readonly Provider[];
  /** The session of the server that is to be confirmed. */
  readonly opened: string | undefined;
  readonly go: string;
};

/** Says where to show who one is, for who has no password. */
export function ConfirmElsewhere({ session, providers, opened, go }: Props): ComponentChild {
  if (opened === undefined) return h('p', { class: 'hint' }, 'You will be asked to show who you are where you log in.');
  return h(
    'div',
    null,
    h('p', null, `Show who you are, in a window of its own. Then come back, and press “${go}” once more.`),
    h(
      'ul',
      { class: 'entries' },
      providers.map(({ id, name }) => {
        const path = `_portico/client/v1/sso/confirm/${encodeURIComponent(id)}?${new URLSearchParams({ session: opened })}`;
        return h(
          'li',
          { key: id },
          h('a', { href: session.addressOf(path).href, target: '_blank', rel: 'noopener' }, `Go on at ${name}`),
        );
      }),
    ),
  );
}
