import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { Problem, Status } from '../view/messages.ts';
import type { Draft } from './use-draft.ts';

type Props = { readonly draft: Draft; onSaved(): void; readonly children?: ComponentChildren };

export function SaveBar({ draft, onSaved, children }: Props): ComponentChild {
  const { isChanged, message, saving, save, discard } = draft;
  return h(
    'div',
    { class: isChanged ? 'bar changed' : 'bar' },
    h(Status, { text: isChanged ? (message ?? 'There are changes that are not saved yet.') : message }),
    h(Problem, { text: saving.problem }),
    h(
      'div',
      { class: 'buttons' },
      children,
      h(
        'button',
        { type: 'button', class: 'main', disabled: !isChanged || saving.isBusy, onClick: () => save(onSaved) },
        saving.isBusy ? 'Saving …' : 'Save',
      ),
      h('button', { type: 'button', disabled: !isChanged || saving.isBusy, onClick: discard }, 'Discard changes'),
    ),
  );
}
