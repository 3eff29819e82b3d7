import { type ComponentChild, h, type Ref } from 'preact';
import { useId } from 'preact/hooks';

type Props = {
  readonly label: string;
  readonly value: string;
  onInput(value: string): void;
  readonly type?: 'text' | 'password';
  readonly autocomplete?: 'username' | 'current-password' | 'new-password' | 'off';
  readonly hint?: string;
  readonly isRequired?: boolean;
  /** The ID of what says what is wrong with it, if anything is. */
  readonly flawId?: string | undefined;
  readonly place?: Ref<HTMLInputElement>;
};

export function TextField(props: Props): ComponentChild {
  const { label, value, onInput, type = 'text', autocomplete = 'off', hint, isRequired = false, flawId, place } = props;
  const id = useId();
  const hintId = `${id}-hint`;
  const described = [hint === undefined ? undefined : hintId, flawId].filter((each) => each !== undefined);
  return h(
    'div',
    { class: 'field' },
    h('label', { htmlFor: id }, label),
    hint === undefined ? null : h('p', { id: hintId, class: 'hint' }, hint),
    h('input', {
      id,
      ref: place,
      type,
      value,
      autocomplete,
      required: isRequired,
      // What is typed here are names, which no program is to correct.
      autocapitalize: 'none',
      spellcheck: false,
      onInput: (event: Event) => onInput((event.target as HTMLInputElement).value),
      ...(flawId !== undefined && { 'aria-invalid': true }),
      ...(described.length > 0 && { 'aria-describedby': described.join(' ') }),
    }),
  );
}
