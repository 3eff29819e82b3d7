import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import type { PageProps } from '../page-props.ts';
import { Problem } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { TextField } from '../view/text-field.ts';
import { useAction } from '../view/use-action.ts';
import { askWithPassword } from './with-password.ts';

type Props = Pick<PageProps, 'session' | 'onEnd'>;

/** Ends the account, for who knows the password and has typed whose account it is. */
export function CloseAccount({ session, onEnd }: Props): ComponentChild {
  const [isOpen, setOpen] = useState(false);
  return h(
    Section,
    {
      title: 'Close my account',
      hint: 'You leave every room, all your devices are logged out, and nobody can ever have your name again.',
    },
    isOpen
      ? h(CloseForm, { session, onEnd })
      : h('button', { type: 'button', onClick: () => setOpen(true) }, 'Close my account …'),
    isOpen ? h('button', { type: 'button', onClick: () => setOpen(false) }, 'Keep my account') : null,
  );
}

function CloseForm({ session, onEnd }: Props): ComponentChild {
  const [erase, setErase] = useState(false);
  const [typed, setTyped] = useState('');
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState<string>();
  const { isBusy, problem, run } = useAction();
  const isConfirmed = typed.trim() === session.userId;

  async function go(): Promise<void> {
    if (!isConfirmed) {
      setWrong(`Type ${session.userId} to show that you mean it.`);
      return;
    }
    setWrong(undefined);
    const question = { method: 'POST', path: '_matrix/client/v3/account/deactivate', body: { erase } } as const;
    const { kind } = await askWithPassword(session, question, password);
    setPassword('');
    if (kind === 'wrong-password') setWrong('The password is wrong.');
    else onEnd(erase ? 'Your account is closed, and what was yours is being erased.' : 'Your account is closed.');
  }
  return h(
    'form',
    {
      class: 'inner',
      onSubmit(event: Event) {
        event.preventDefault();
        run(go);
      },
    },
    h(
      'label',
      { class: 'radio' },
      h('input', { type: 'checkbox', checked: erase, onChange: () => setErase(!erase) }),
      'Erase what is mine: profile, settings, keys, uploads. People who have not read my messages yet will not be able to.',
    ),
    h('p', null, 'This cannot be undone. Get a copy of your data first, if you want to keep it.'),
    h(TextField, { label: `Type ${session.userId} to confirm`, value: typed, onInput: setTyped, isRequired: true }),
    h(TextField, {
      label: 'Your password',
      type: 'password',
      autocomplete: 'current-password',
      value: password,
      onInput: setPassword,
      isRequired: true,
    }),
    h(Problem, { text: wrong ?? problem }),
    h('button', { class: 'danger', disabled: isBusy }, isBusy ? 'Closing …' : 'Close my account for ever'),
  );
}
