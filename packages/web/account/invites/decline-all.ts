import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Session } from '../server/session.ts';
import { Problem } from '../view/messages.ts';
import { TickBox } from '../view/tick-box.ts';
import { useAction } from '../view/use-action.ts';
import { declineAll } from './invite-questions.ts';

/** Declines everything that is pending, once the person has said so twice. */
export function DeclineAll({ session, onDone }: { readonly session: Session; onDone(): void }): ComponentChild {
  const [isAsking, setAsking] = useState(false);
  const [withHidden, setWithHidden] = useState(false);
  const { isBusy, problem, run } = useAction();

  async function go(): Promise<void> {
    await declineAll(session, withHidden);
    setAsking(false);
    onDone();
  }
  if (!isAsking) return h('button', { type: 'button', onClick: () => setAsking(true) }, 'Decline all …');
  return h(
    'div',
    { class: 'preview', role: 'group', 'aria-label': 'Decline all invitations' },
    h('p', null, 'Those who invited you will see that you declined.'),
    h(TickBox, { label: 'Also those that my rules hide', isTicked: withHidden, onTick: setWithHidden }),
    h(Problem, { text: problem }),
    h(
      'div',
      { class: 'buttons' },
      h(
        'button',
        { type: 'button', class: 'danger', disabled: isBusy, onClick: () => run(go) },
        'Decline all invitations',
      ),
      h('button', { type: 'button', disabled: isBusy, onClick: () => setAsking(false) }, 'Keep them'),
    ),
  );
}
