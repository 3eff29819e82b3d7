import { type ComponentChild, h } from 'preact';
import { useId } from 'preact/hooks';

type Props = {
  readonly label: string;
  readonly value: string;
  onInput(value: string): void;
  readonly type?: 'text' | 'password';
  readonly autocomplete?: 'username' | 'current-password' | 'new-password' | 'off';
  readonly hint?: string;
  readonly isRequired?: boolean;
};

export function TextField(props: Props): ComponentChild {
  const { label, value, onInput, type = 'text', autocomplete = 'off', hint, isRequired = false } = props;
  const id = useId();
  const hintId = `${id}-hint`;
  return h(
    'div',
    { class: 'field' },
    h('label', { htmlFor: id }, label),
    hint === undefined ? null : h('p', { id: hintId, class: 'hint' }, hint),
    h('input', {
      id,
      type,
      value,
      autocomplete,
      required: isRequired,
      // What is typed here are names, which no program is to correct.
      autocapitalize: 'none',
      spellcheck: false,
      onInput: (event: Event) => onInput((event.target as HTMLInputElement).value),
      ...(hint !== undefined && { 'aria-describedby': hintId }),
    }),
  );
}
