import { type ComponentChild, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Changes } from './presence-questions.ts';
import { SightEntries } from './sights-list.ts';

type Props = { readonly changes: Changes; nameOf(roomId: string): string };

/** What saving would change. */
export function ChangesView({ changes, nameOf }: Props): ComponentChild {
  const { gained, lost, examined, isCut, isMalformed } = changes;
  const place = useRef<HTMLDivElement>(null);
  // It was asked for from anywhere on the page.
  useEffect(() => place.current?.focus(), [changes]);
  return h(
    'div',
    { class: 'preview', role: 'region', tabIndex: -1, ref: place, 'aria-label': 'What saving would change' },
    isMalformed ? h('p', { class: 'problem' }, 'Nobody would see you: a list cannot be understood.') : null,
    h(
      'p',
      null,
      gained.length + lost.length === 0
        ? `Nothing would change for the ${examined} people whom you share rooms with or have named.`
        : `Of ${examined} people whom you share rooms with or have named, ${lost.length} would no longer see you, and ${gained.length} would see you from now on.`,
      isCut ? ' There are more people than were looked at.' : null,
    ),
    lost.length === 0 ? null : h('h4', null, 'Would no longer see me'),
    lost.length === 0 ? null : h(SightEntries, { sights: lost, nameOf }),
    gained.length === 0 ? null : h('h4', null, 'Would see me'),
    gained.length === 0 ? null : h(SightEntries, { sights: gained, nameOf }),
  );
}
