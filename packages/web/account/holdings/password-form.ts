import type { JsonObject } from '@portico/protocol/json/value.ts';
import { type ComponentChild, type ComponentChildren, h } from 'preact';
import { useId, useRef, useState } from 'preact/hooks';
import { isFlawed } from '../server/server-problem.ts';
import type { Asked, Session } from '../server/session.ts';
import { readWaysIn, usableProviders } from '../server/ways-in.ts';
import { Problem } from '../view/messages.ts';
import { TextField } from '../view/text-field.ts';
import { useAction } from '../view/use-action.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { ConfirmElsewhere } from './confirm-elsewhere.ts';
import { askConfirmed } from './confirmation.ts';
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
  onDone(answer: JsonObject): void;
  onKeep(): void;
  /** Called when the server finds something wrong with the question itself. */
  onFlawed?(): void;
  /** The ID that what went wrong is to have. */
  readonly problemId?: string;
  readonly children?: ComponentChildren;
};

/**
 * Asks for something that the server does only for who knows the password, which is forgotten after every try; who has none shows
 * who they are where they log in. Whoever has to type something anew is where they do that.
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
  const ways = useLoaded(() => readWaysIn(session));
  const isUnknown = ways.value === undefined && ways.problem === undefined;
  const takesPassword = ways.value?.hasPassword ?? true;
  const [opened, setOpened] = useState<string>();

  async function goConfirmed(): Promise<void> {
    const outcome = await askConfirmed(session, question, opened);
    if (outcome.kind === 'done') return onDone(outcome.answer);
    if (opened !== undefined) setWrong('You have not shown yet who you are.');
    setOpened(outcome.opened);
  }

  async function goWithPassword(): Promise<void> {
    const outcome = await askWithPassword(session, question, password);
    if (outcome.kind === 'done') return onDone(outcome.answer);
    setWrong('The password is wrong.');
    setIsWrong(true);
    place.current?.focus();
  }

  async function go(): Promise<void> {
    setWrong(flaw);
    setIsWrong(false);
    if (flaw !== undefined) return;
    try {
      await (takesPassword ? goWithPassword() : goConfirmed());
    } catch (error) {
      // What was confirmed may have been another request.
      setOpened(undefined);
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
    takesPassword
      ? h(TextField, {
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
        })
      : null,
    ways.value !== undefined && !takesPassword
      ? h(ConfirmElsewhere, { session, providers: usableProviders(ways.value), opened, go: words.go })
      : null,
    h(Problem, { id: problemId, text: wrong ?? problem }),
    h(
      'div',
      { class: 'buttons' },
      h(
        'button',
        { class: isDangerous ? 'danger' : 'main', disabled: isBusy || isUnknown },
        isBusy ? words.going : words.go,
      ),
      h('button', { type: 'button', disabled: isBusy, onClick: onKeep }, words.keep),
    ),
  );
}
