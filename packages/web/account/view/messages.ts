import { type ComponentChild, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** Something that went wrong; read out at once. Nothing is shown for `undefined`. */
export function Problem({ text, id }: { readonly text: string | undefined; readonly id?: string }): ComponentChild {
  return h('p', { id, role: 'alert', class: text === undefined ? 'empty' : 'problem' }, text);
}

/** Something that has been done; read out when it fits. */
export function Status({ text }: { readonly text: string | undefined }): ComponentChild {
  return h('p', { role: 'status', class: text === undefined ? 'empty' : 'status' }, text);
}

/** An object of its own each time, as the same may be said twice. */
export type Said = { readonly text: string };

/** Something that has been done, where what it was done with is gone: it takes the focus that was there. */
export function Done({ said }: { readonly said: Said | undefined }): ComponentChild {
  const place = useRef<HTMLParagraphElement>(null);
  useEffect(() => {
    if (said !== undefined) place.current?.focus();
  }, [said]);
  return h(
    'p',
    { role: 'status', tabIndex: -1, ref: place, class: said === undefined ? 'empty' : 'status' },
    said?.text,
  );
}

export function Waiting({
  problem,
  onRetry,
}: {
  readonly problem: string | undefined;
  onRetry(): void;
}): ComponentChild {
  if (problem === undefined) return h('p', { class: 'hint', role: 'status' }, 'One moment …');
  return h('div', null, h(Problem, { text: problem }), h('button', { type: 'button', onClick: onRetry }, 'Try again'));
}
