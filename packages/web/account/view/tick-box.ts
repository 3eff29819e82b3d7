import { type ComponentChild, h } from 'preact';

type Props = { readonly label: string; readonly isTicked: boolean; onTick(isTicked: boolean): void };

export function TickBox({ label, isTicked, onTick }: Props): ComponentChild {
  return h(
    'label',
    { class: 'radio' },
    h('input', { type: 'checkbox', checked: isTicked, onChange: () => onTick(!isTicked) }),
    label,
  );
}
