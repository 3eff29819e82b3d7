import type { JsonObject } from '@portico/protocol/json/value.ts';
import { type ComponentChild, h } from 'preact';
import { type Edit, listIn } from '../lists/edits.ts';
import { everyone, isEveryone } from './sharing.ts';

type Props = {
  readonly content: JsonObject;
  readonly type: string;
  /** Whether the server has set something for those who have set nothing. */
  readonly hasDefault: boolean;
  edit(...edits: readonly Edit[]): void;
};

/** Who sees the person where nothing else is said. */
export function DefaultChoice({ content, type, hasDefault, edit }: Props): ComponentChild {
  const list = 'denied_users';
  const barring = (listIn(content, list) ?? []).filter(isEveryone);
  const isClosed = barring.length > 0;
  // What the server has set is neither, until the person has chosen.
  const isUnset = hasDefault && Object.keys(content).length === 0;
  const radio = (closed: boolean, words: string, choose: () => void) =>
    h(
      'label',
      { class: 'radio' },
      h('input', {
        type: 'radio',
        name: 'presence-default',
        checked: !isUnset && isClosed === closed,
        onChange: choose,
      }),
      words,
    );
  return h(
    'fieldset',
    null,
    h('legend', null, 'Who sees me when I am online?'),
    radio(false, 'Everyone who is in a room with me', () =>
      // What is added and taken out again leaves an empty list, which is a setting where there was none.
      edit(
        { type, kind: 'add', list, entry: everyone },
        ...[everyone, ...barring].map((entry): Edit => ({ type, kind: 'remove', list, entry })),
      ),
    ),
    radio(true, 'Nobody but the people I name', () => edit({ type, kind: 'add', list, entry: everyone })),
    isClosed ? h('p', { class: 'hint' }, 'Then rooms make no difference: only people who always see you do.') : null,
  );
}
