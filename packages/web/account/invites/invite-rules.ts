import { type ComponentChild, h } from 'preact';
import type { Edit } from '../lists/edits.ts';
import { EntryList } from '../lists/entry-list.ts';
import { wordsWithPattern } from '../lists/person-pattern.ts';
import type { StoredEvents } from '../lists/stored-events.ts';
import { readInviteEntry } from './invite-address.ts';
import {
  addEntry,
  close,
  type Entry,
  entriesFor,
  isClosed,
  open,
  removeEntry,
  type Treatment,
} from './invite-settings.ts';

const treatments: readonly (readonly [Treatment, title: string, hint: string])[] = [
  ['allowed', 'Always let in', 'They may invite you, whatever else is set here.'],
  ['ignored', 'Ignore quietly', 'You see nothing of their invitations. They are not told.'],
  ['blocked', 'Refuse', 'They cannot invite you, and are told that you do not want it.'],
];

type Props = { readonly events: StoredEvents; edit(...edits: readonly Edit[]): void };

/** Everything that a person sets about who may invite them. */
export function InviteRules({ events, edit }: Props): ComponentChild {
  const closed = isClosed(events);
  const radio = (isThis: boolean, words: string, choose: () => void) =>
    h(
      'label',
      { class: 'radio' },
      h('input', { type: 'radio', name: 'invite-default', checked: isThis, onChange: choose }),
      words,
    );
  return h(
    'div',
    null,
    h(
      'fieldset',
      null,
      h('legend', null, 'Who may invite me?'),
      radio(!closed, 'Everyone, except those I ignore or refuse', () => edit(...open(events))),
      radio(closed, 'Only those I always let in', () => edit(close())),
    ),
    treatments.map(([treatment, title, hint]) =>
      h(EntryList, {
        key: treatment,
        title,
        hint,
        rows: entriesFor(events, treatment).map((entry) => ({
          key: `${entry.list} ${entry.entry}`,
          entry: entry.entry,
          ...wordsOf(entry),
          remove: () => edit(...removeEntry(events, entry)),
        })),
        field: {
          label: 'A person or a server',
          hint: 'Such as @alice:example.org or example.org. A * stands for anything: *.example.org.',
        },
        add(typed) {
          const entry = readInviteEntry(typed, treatment);
          if (entry === undefined)
            return 'That is neither the address of a person, such as @alice:example.org, nor the name of a server.';
          edit(addEntry(events, entry));
          return undefined;
        },
      }),
    ),
    h(
      'p',
      { class: 'hint' },
      'If several of these speak of somebody, people count before servers, and letting in before ignoring before refusing. ' +
        'Whom you ignore altogether in your app is ignored here, too.',
    ),
  );
}

function wordsOf({ entry, isServer }: Entry): { readonly words: string; readonly note?: string } {
  return isServer ? { words: `everyone at ${entry}` } : wordsWithPattern(entry);
}
