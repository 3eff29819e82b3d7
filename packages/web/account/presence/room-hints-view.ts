import { type ComponentChild, h } from 'preact';
import type { Edit } from '../lists/edits.ts';
import type { DeniedInSpace, Upgraded } from './room-hints.ts';

type Props = {
  readonly type: string;
  readonly denied: readonly DeniedInSpace[];
  readonly upgraded: readonly Upgraded[];
  edit(...edits: readonly Edit[]): void;
};

/** What a person should know of the rooms that they have named. */
export function RoomHints({ type, denied, upgraded, edit }: Props): ComponentChild {
  if (denied.length + upgraded.length === 0) return null;
  return h(
    'ul',
    { class: 'warnings', 'aria-label': 'Please look at these rooms' },
    denied.map(({ room, space }) =>
      h(
        'li',
        { key: `${room.id} ${space.id}` },
        h('bdi', null, room.name),
        ' does not count, but belongs to ',
        h('bdi', null, space.name),
        ', whose people always see you. Whoever is in both sees you all the same.',
      ),
    ),
    upgraded.map(({ list, old, replacement, joined }) =>
      h(
        'li',
        { key: `${list} ${old.id}` },
        h('bdi', null, old.name),
        list === 'allowed_users' ? ', whose people always see you, ' : ', which does not count, ',
        joined === undefined
          ? 'has moved to a new room that you are not in yet. Join it, and come back to set the same for it.'
          : 'has moved to a new room, for which nothing is set yet. ',
        joined === undefined
          ? null
          : h(
              'button',
              { type: 'button', onClick: () => edit({ type, kind: 'add', list, entry: replacement }) },
              'Set the same for the new room',
            ),
      ),
    ),
  );
}
