import { type ComponentChild, Fragment, h } from 'preact';
import { useId } from 'preact/hooks';

type Props = {
  readonly label: string;
  readonly isTicked: boolean;
  onTick(isTicked: boolean): void;
  /** What follows from ticking it. */
  readonly hint?: string;
};

export function TickBox({ label, isTicked, onTick, hint }: Props): ComponentChild {
  const hintId = `${useId()}-hint`;
  return h(
    Fragment,
    null,
    h(
      'label',
      { class: 'radio' },
      h('input', {
        type: 'checkbox',
        checked: isTicked,
        onChange: () => onTick(!isTicked),
        ...(hint !== undefined && { 'aria-describedby': hintId }),
      }),
      label,
    ),
    hint === undefined ? null : h('p', { id: hintId, class: 'hint' }, hint),
  );
}
