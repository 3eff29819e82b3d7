import { type ComponentChild, type ComponentType, h } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { HoldingsPage } from './holdings/holdings-page.ts';
import { InvitesPage } from './invites/invites-page.ts';
import { PresencePage } from './presence/presence-page.ts';
import type { PageProps } from './page-props.ts';
import { createRoomBook } from './rooms/room-book.ts';
import type { Errand } from './server/errand.ts';
import type { Session } from './server/session.ts';
import { Problem } from './view/messages.ts';
import { useAction } from './view/use-action.ts';

type Page = { readonly id: string; readonly title: string; readonly content: ComponentType<PageProps> };

const holdings: Page = { id: 'account', title: 'My data and devices', content: HoldingsPage };
const pages: readonly [Page, ...Page[]] = [
  { id: 'presence', title: 'Who can see me', content: PresencePage },
  { id: 'invites', title: 'Invitations', content: InvitesPage },
  holdings,
];

type Props = { readonly session: Session; readonly errand: Errand | undefined; onEnd(why: string): void };

/** What one can do once logged in, a page for each subject. */
export function AccountPages({ session, errand, onEnd }: Props): ComponentChild {
  const [chosen, choose] = useState<Page>(errand === undefined ? pages[0] : holdings);
  const [seen] = useState(() => new Set<string>());
  seen.add(chosen.id);
  const [rooms] = useState(() => createRoomBook(session));
  const { isBusy, problem, run } = useAction();
  const heading = useRef<HTMLHeadingElement>(null);
  // At once: later it might take the focus from what somebody has begun to do.
  useLayoutEffect(() => heading.current?.focus(), [chosen]);

  async function logOut(): Promise<void> {
    await session.ask({ method: 'POST', path: '_matrix/client/v3/logout', body: {} });
    onEnd('You have logged out.');
  }
  return h(
    'div',
    null,
    h(
      'header',
      null,
      h('p', { class: 'who' }, h('span', null, 'Logged in as '), h('strong', null, session.userId)),
      h('button', { type: 'button', disabled: isBusy, onClick: () => run(logOut) }, 'Log out'),
      h(
        'nav',
        { 'aria-label': 'Subjects' },
        pages.map((page) =>
          h(
            'button',
            {
              type: 'button',
              key: page.id,
              'aria-current': page === chosen ? 'page' : undefined,
              onClick: () => choose(page),
            },
            page.title,
          ),
        ),
      ),
      h(Problem, { text: problem }),
    ),
    h(
      'main',
      null,
      h('h1', { tabIndex: -1, ref: heading }, chosen.title),
      // What was begun on one of them is still there when one comes back.
      pages
        .filter((page) => page === chosen || seen.has(page.id))
        .map(({ id, content }) =>
          h('div', { key: id, hidden: id !== chosen.id }, h(content, { session, rooms, errand, onEnd })),
        ),
    ),
  );
}
