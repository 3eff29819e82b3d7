import type { JsonObject } from '@portico/protocol/json/value.ts';
import { type ComponentChild, h } from 'preact';
import type { Edit } from '../lists/edits.ts';
import { EntryList, type Row } from '../lists/entry-list.ts';
import { readPersonPattern, wordsWithPattern } from '../lists/person-pattern.ts';
import { entriesOf, type ListedEntry, type SharingList } from './sharing.ts';

type Props = {
  readonly content: JsonObject;
  readonly type: string;
  readonly list: SharingList;
  readonly title: string;
  readonly hint: string;
  edit(...edits: readonly Edit[]): void;
};

/** People who always see the person, or never. */
export function PeopleList({ content, type, list, title, hint, edit }: Props): ComponentChild {
  const rows = entriesOf(content, list).map(({ entry, parsed }, index): Row => {
    return {
      key: `${index} ${JSON.stringify(entry)}`,
      entry,
      ...wordsOf({ entry, parsed }),
      remove: () => edit({ type, kind: 'remove', list, entry }),
    };
  });
  return h(EntryList, {
    title,
    hint,
    rows,
    field: {
      label: 'A person or a server',
      hint: 'Such as @alice:example.org, or example.org for everyone there. A * stands for anything: @*bot:example.org.',
    },
    add(typed) {
      const entry = readPersonPattern(typed);
      if (entry === undefined)
        return 'That is neither the address of a person, such as @alice:example.org, nor the name of a server.';
      edit({ type, kind: 'add', list, entry });
      return undefined;
    },
  });
}

function wordsOf({ entry, parsed }: ListedEntry): Pick<Row, 'words' | 'note'> {
  if (parsed === undefined) {
    return {
      words: typeof entry === 'string' ? entry : JSON.stringify(entry),
      note: 'Another app wrote this. It names nobody, and stays until you remove it.',
    };
  }
  return parsed.kind === 'glob' ? wordsWithPattern(parsed.glob) : { words: parsed.id };
}
