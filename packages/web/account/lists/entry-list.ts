import type { JsonValue } from '@portico/protocol/json/value.ts';
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { Problem } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { TextField } from '../view/text-field.ts';

export type Row = {
  readonly key: string;
  readonly words: string;
  /** Something to know about it. */
  readonly note?: string;
  readonly entry: JsonValue;
  remove(): void;
};

type Props = {
  readonly title: string;
  readonly hint: string;
  readonly rows: readonly Row[];
  readonly field: { readonly label: string; readonly hint: string };
  /** Adds what was typed; answers what is wrong with it, if something is. */
  add(typed: string): string | undefined;
};

/** A list that one can add to and take from. */
export function EntryList({ title, hint, rows, field, add }: Props): ComponentChild {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string>();

  function submit(event: Event): void {
    event.preventDefault();
    const wrong = add(typed);
    setProblem(wrong);
    if (wrong === undefined) setTyped('');
  }
  return h(
    Section,
    { title, hint },
    rows.length === 0
      ? h('p', { class: 'none' }, 'Nobody so far.')
      : h(
          'ul',
          { class: 'entries' },
          rows.map(({ key, words, note, remove }) =>
            h(
              'li',
              { key },
              h('span', null, h('bdi', null, words), note === undefined ? null : h('small', null, note)),
              h('button', { type: 'button', 'aria-label': `Remove ${words}`, onClick: remove }, 'Remove'),
            ),
          ),
        ),
    h(
      'form',
      { class: 'adding', onSubmit: submit },
      h(TextField, { label: field.label, hint: field.hint, value: typed, onInput: setTyped, isRequired: true }),
      h('button', null, 'Add'),
    ),
    h(Problem, { text: problem }),
  );
}
