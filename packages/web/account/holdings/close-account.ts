import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { PageProps } from '../page-props.ts';
import { Section } from '../view/section.ts';
import { TextField } from '../view/text-field.ts';
import { TickBox } from '../view/tick-box.ts';
import { Unfold } from '../view/unfold.ts';
import { PasswordForm } from './password-form.ts';

type Props = Pick<PageProps, 'session' | 'errand' | 'onEnd'>;

/** Ends the account, for who knows the password and has typed whose account it is. */
export function CloseAccount(props: Props): ComponentChild {
  return h(
    Section,
    {
      title: 'Close my account',
      hint: 'You leave every room, all your devices are logged out, and nobody can ever have your name again.',
    },
    h(Unfold, {
      label: 'Close my account …',
      isFoundOpen: props.errand?.kind === 'close',
      show: (fold) => h(CloseForm, { ...props, onKeep: fold }),
    }),
  );
}

function CloseForm({ session, onEnd, onKeep }: Omit<Props, 'errand'> & { onKeep(): void }): ComponentChild {
  const [erase, setErase] = useState(false);
  const [typed, setTyped] = useState('');
  const isConfirmed = typed.trim() === session.userId;
  return h(
    PasswordForm,
    {
      session,
      question: { method: 'POST', path: '_matrix/client/v3/account/deactivate', body: { erase } },
      flaw: isConfirmed ? undefined : `Type ${session.userId} to show that you mean it.`,
      words: { go: 'Close my account for ever', going: 'Closing …', keep: 'Keep my account' },
      onDone: () =>
        onEnd(erase ? 'Your account is closed, and what was yours is being erased.' : 'Your account is closed.'),
      onKeep,
    },
    h(TickBox, {
      label:
        'Erase what is mine: profile, settings, keys, uploads. People who have not read my messages yet will not be able to.',
      isTicked: erase,
      onTick: setErase,
    }),
    h('p', null, 'This cannot be undone. Get a copy of your data first, if you want to keep it.'),
    h(TextField, { label: `Type ${session.userId} to confirm`, value: typed, onInput: setTyped, isRequired: true }),
  );
}
