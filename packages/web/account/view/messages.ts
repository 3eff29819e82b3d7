import { type ComponentChild, h } from 'preact';

/** Something that went wrong; read out at once. Nothing is shown for `undefined`. */
export function Problem({ text }: { readonly text: string | undefined }): ComponentChild {
  return h('p', { role: 'alert', class: text === undefined ? 'empty' : 'problem' }, text);
}

/** Something that has been done; read out when it fits. */
export function Status({ text }: { readonly text: string | undefined }): ComponentChild {
  return h('p', { role: 'status', class: text === undefined ? 'empty' : 'status' }, text);
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
