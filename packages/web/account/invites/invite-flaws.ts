import { type ComponentChild, h } from 'preact';
import type { Edit } from '../lists/edits.ts';
import type { StoredEvents } from '../lists/stored-events.ts';
import { flawsOf } from './invite-settings.ts';

const words = {
  disabled: ['The lists below are switched off: they count for nothing.', 'Switch them on'],
  malformed: [
    'Another app wrote something in these lists that cannot be understood. As long as it is there, they count for nothing.',
    'Take out what cannot be understood',
  ],
} as const;

type Props = { readonly events: StoredEvents; edit(...edits: readonly Edit[]): void };

/** Why lists that are there count for nothing, and what one can do about it. */
export function InviteFlaws({ events, edit }: Props): ComponentChild {
  return flawsOf(events).map(({ kind, repair }) => {
    const [problem, remedy] = words[kind];
    return h(
      'div',
      { class: 'problem', key: repair.type },
      h('p', null, problem),
      h('button', { type: 'button', onClick: () => edit(repair) }, remedy),
    );
  });
}
