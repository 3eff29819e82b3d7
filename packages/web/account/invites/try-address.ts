import { isUserId } from '@portico/protocol/ids/user-id.ts';
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { isSameEvents, type StoredEvents } from '../lists/stored-events.ts';
import type { Session } from '../server/session.ts';
import { Problem, Status } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { TextField } from '../view/text-field.ts';
import { useAction } from '../view/use-action.ts';
import { explainDecision } from './decision-words.ts';
import { askDecision, decideUnsaved, type Surroundings } from './invite-questions.ts';

type Props = {
  readonly session: Session;
  readonly events: StoredEvents;
  readonly surroundings: Surroundings;
  readonly isChanged: boolean;
};

type Answer = { readonly of: StoredEvents; readonly words: string };

/** Tries an address against the rules, those included that are not saved yet. */
export function TryAddress({ session, events, surroundings, isChanged }: Props): ComponentChild {
  const [typed, setTyped] = useState('');
  const [answer, setAnswer] = useState<Answer>();
  const [wrong, setWrong] = useState<string>();
  const { isBusy, problem, run } = useAction();

  async function ask(): Promise<void> {
    const inviter = typed.trim();
    setAnswer(undefined);
    setWrong(isUserId(inviter) ? undefined : 'That is not the address of a person, such as @alice:example.org.');
    if (!isUserId(inviter)) return;
    const decision = isChanged ? decideUnsaved(events, surroundings, inviter) : await askDecision(session, inviter);
    const when = isChanged ? 'With your changes, which are not saved yet: ' : '';
    setAnswer({ of: events, words: `${when}${explainDecision(decision)}` });
  }
  return h(
    Section,
    { title: 'Try it', hint: 'What would happen if somebody invited you?' },
    h(
      'form',
      {
        class: 'adding',
        onSubmit(event: Event) {
          event.preventDefault();
          run(ask);
        },
      },
      h(TextField, { label: 'The address of a person', value: typed, onInput: setTyped, isRequired: true }),
      h('button', { disabled: isBusy }, 'Try'),
    ),
    h(Problem, { text: wrong ?? problem }),
    h(Status, { text: answer !== undefined && isSameEvents(answer.of, events) ? answer.words : undefined }),
  );
}
