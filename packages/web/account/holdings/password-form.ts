import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { isFlawed } from '../server/server-problem.ts';
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
  /** Called when the server finds something wrong with the question itself. */
  onFlawed?(): void;
  /** The ID that what went wrong is to have. */
  readonly problemId?: string;
  readonly children?: ComponentChildren;
};

/**
 * Asks for something that the server does only for who knows the password, which is forgotten after every try. Whoever has to type
 * something anew is where they do that.
 */
export function PasswordForm(props: Props): ComponentChild {
  const { session, question, flaw, words, isDangerous = true, onDone, onKeep, onFlawed, children } = props;
  const [password, setPassword] = useState('');
  const [wrong, setWrong] = useState<string>();
  const [isWrong, setIsWrong] = useState(false);
  const place = useRef<HTMLInputElement>(null);
  const ownId = useId();
  const { problemId = ownId } = props;
  const { isBusy, problem, run } = useAction();

  async function go(): Promise<void> {
    setWrong(flaw);
    setIsWrong(false);
    if (flaw !== undefined) return;
    try {
      const { kind } = await askWithPassword(session, question, password);
      if (kind === 'done') return onDone();
      setWrong('The password is wrong.');
      setIsWrong(true);
      place.current?.focus();
    } catch (error) {
      if (isFlawed(error)) onFlawed?.();
      throw error;
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
      onInput(typed) {
        setPassword(typed);
        setIsWrong(false);
      },
      isRequired: true,
      flawId: isWrong ? problemId : undefined,
      place,
    }),
    h(Problem, { id: problemId, text: wrong ?? problem }),
    h(
      'div',
      { class: 'buttons' },
      h('button', { class: isDangerous ? 'danger' : 'main', disabled: isBusy }, isBusy ? words.going : words.go),
      h('button', { type: 'button', disabled: isBusy, onClick: onKeep }, words.keep),
    ),
  );
}
