import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useState } from 'preact/hooks';
import type { Asked, Session } from '../server/session.ts';
import { Problem } from '../view/messages.ts';
import { TextField } from '../view/text-field.ts';
import { useAction } from '../view/use-action.ts';
import { askWithPassword } from './with-password.ts';

type Props = {
  readonly session: Session;
  readonly question: Asked;
  /** Why it cannot be asked as it is, in words. */
  readonly flaw?: string | undefined;
  readonly words: {
    readonly go: string;
    readonly going: string;
    /** What one does who thinks better of it. */
    readonly keep: string;
    readonly password?: string;
  };
  /** Whether it takes something away from the person. */
  readonly isDangerous?: boolean;
  onDone(): void;
  onKeep(): void;
  readonly children?: ComponentChildren;
};

/** Asks for something that the server does only for who knows the password, which is forgotten after every try. */
export function PasswordForm(props: Props): ComponentChild {
  const { session, question, flaw, words, isDangerous = true, onDone, onKeep, children } = props;
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState<string>();
  const { isBusy, problem, run } = useAction();

  async function go(): Promise<void> {
    setWrong(flaw);
    if (flaw !== undefined) return;
    try {
      const { kind } = await askWithPassword(session, question, password);
      if (kind === 'done') onDone();
      else setWrong('The password is wrong.');
    } finally {
      setPassword('');
    }
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
    children,
    h(TextField, {
      label: words.password ?? 'Your password',
      type: 'password',
      autocomplete: 'current-password',
      value: password,
      onInput: setPassword,
      isRequired: true,
    }),
    h(Problem, { text: wrong ?? problem }),
    h(
      'div',
      { class: 'buttons' },
      h('button', { class: isDangerous ? 'danger' : 'main', disabled: isBusy }, isBusy ? words.going : words.go),
      h('button', { type: 'button', disabled: isBusy, onClick: onKeep }, words.keep),
    ),
  );
}
