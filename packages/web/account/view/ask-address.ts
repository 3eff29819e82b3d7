import { isUserId } from '@portico/protocol/ids/user-id.ts';
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { Problem, Status } from './messages.ts';
import { TextField } from './text-field.ts';
import { useAction } from './use-action.ts';

type Props = {
  readonly label: string;
  readonly verb: string;
  /** What there is to say about somebody. */
  ask(userId: string): Promise<string>;
};

/** Asks something about a person whose address is typed. */
export function AskAddress({ label, verb, ask }: Props): ComponentChild {
  const [typed, setTyped] = useState('');
  const [answer, setAnswer] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const { isBusy, problem, run } = useAction();

  async function submit(): Promise<void> {
    const userId = typed.trim();
    const isAddress = isUserId(userId);
    setAnswer(undefined);
    setWrong(isAddress ? undefined : 'That is not the address of a person, such as @alice:example.org.');
    if (isAddress) setAnswer(await ask(userId));
  }
  return h(
    'div',
    null,
    h(
      'form',
      {
        class: 'adding',
        onSubmit(event: Event) {
          event.preventDefault();
          run(submit);
        },
      },
      h(TextField, { label, value: typed, onInput: setTyped, isRequired: true }),
      h('button', { disabled: isBusy }, verb),
    ),
    h(Problem, { text: wrong ?? problem }),
    h(Status, { text: answer }),
  );
}
