import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useId } from 'preact/hooks';

type Props = { readonly title: string; readonly hint?: string; readonly children?: ComponentChildren };

/** A part of the page with a heading. */
export function Section({ title, hint, children }: Props): ComponentChild {
  const id = useId();
  return h(
    'section',
    { 'aria-labelledby': id },
    h('h3', { id }, title),
    hint === undefined ? null : h('p', { class: 'hint' }, hint),
    children,
  );
}
