import { type ComponentChild, h } from 'preact';
import type { JsonObject } from '@portico/protocol/json/value.ts';
import type { Edit } from '../lists/edits.ts';
import { kindTitles, type RoomInfo, type RoomKind, roomKinds } from '../rooms/room-info.ts';
import { Section } from '../view/section.ts';
import { chooseForRoom, choiceOf, type RoomChoice } from './sharing.ts';

const choices: readonly (readonly [RoomChoice, string])[] = [
  ['usual', 'As usual'],
  ['always', 'Always see me'],
  ['never', 'Does not count'],
];

type Props = {
  readonly content: JsonObject;
  readonly type: string;
  readonly rooms: readonly RoomInfo[];
  /** Rooms that are named and that one is not in. */
  readonly strangeRooms: readonly string[];
  edit(...edits: readonly Edit[]): void;
};

/** For every room, whether being in it lets people see the person. */
export function RoomChoices({ content, type, rooms, strangeRooms, edit }: Props): ComponentChild {
  return h(
    Section,
    {
      title: 'Room by room',
      hint:
        '“Always see me” lets everyone in the room see you, unless they are among the people who never do. ' +
        '“Does not count”: people whom you meet only there do not see you.',
    },
    rooms.length === 0 ? h('p', { class: 'none' }, 'You are in no room.') : null,
    roomKinds.map((kind) => {
      const ofKind = rooms.filter((room) => room.kind === kind);
      return ofKind.length === 0 ? null : h(Kind, { key: kind, kind, rooms: ofKind, content, type, edit });
    }),
    strangeRooms.length === 0 ? null : h(StrangeRooms, { type, strangeRooms, edit }),
  );
}

type KindProps = Omit<Props, 'strangeRooms'> & { readonly kind: RoomKind };

function Kind({ kind, rooms, content, type, edit }: KindProps): ComponentChild {
  const setAll = (choice: RoomChoice) => edit(...rooms.flatMap(({ id }) => chooseForRoom(type, id, choice)));
  const named = rooms.filter(({ id }) => choiceOf(content, id) !== 'usual').length;
  return h(
    'details',
    { open: rooms.length <= 12 || named > 0 },
    h('summary', null, `${kindTitles[kind]} (${rooms.length}${named === 0 ? '' : `, ${named} set`})`),
    rooms.length === 1
      ? null
      : h(
          'div',
          { class: 'all', role: 'group', 'aria-label': `${kindTitles[kind]}, all at once` },
          h('span', null, 'All of them: '),
          choices.map(([choice, words]) =>
            h('button', { type: 'button', key: choice, onClick: () => setAll(choice) }, words),
          ),
        ),
    h(
      'ul',
      { class: 'entries' },
      rooms.map((room) => h(Room, { key: room.id, room, content, type, edit })),
    ),
  );
}

type RoomProps = Pick<Props, 'content' | 'type' | 'edit'> & { readonly room: RoomInfo };

function Room({ room, content, type, edit }: RoomProps): ComponentChild {
  const chosen = choiceOf(content, room.id);
  return h(
    'li',
    null,
    h(
      'label',
      { class: 'choice' },
      h(
        'span',
        null,
        h('bdi', null, room.name),
        room.alias === undefined || room.alias === room.name ? null : h('small', null, room.alias),
      ),
      h(
        'select',
        {
          value: chosen,
          onChange: (event: Event) =>
            edit(...chooseForRoom(type, room.id, (event.target as HTMLSelectElement).value as RoomChoice)),
        },
        choices.map(([choice, words]) =>
          h('option', { key: choice, value: choice, selected: choice === chosen }, words),
        ),
      ),
    ),
  );
}

function StrangeRooms({ type, strangeRooms, edit }: Pick<Props, 'type' | 'strangeRooms' | 'edit'>): ComponentChild {
  return h(
    'div',
    null,
    h('h4', null, 'Rooms you are not in'),
    h('p', { class: 'hint' }, 'They are in your settings, and make no difference as long as you are not in them.'),
    h(
      'ul',
      { class: 'entries' },
      strangeRooms.map((id) =>
        h(
          'li',
          { key: id },
          h('code', null, id),
          h(
            'button',
            { type: 'button', 'aria-label': `Remove ${id}`, onClick: () => edit(...chooseForRoom(type, id, 'usual')) },
            'Remove',
          ),
        ),
      ),
    ),
  );
}
