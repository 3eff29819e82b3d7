import { type ComponentChild, h } from 'preact';
import type { StoredEvents } from '../lists/stored-events.ts';
import type { Session } from '../server/session.ts';
import { AskAddress } from '../view/ask-address.ts';
import { Section } from '../view/section.ts';
import { explainDecision } from './decision-words.ts';
import { askDecision, decideUnsaved, type Surroundings } from './invite-questions.ts';

type Props = {
  readonly session: Session;
  readonly events: StoredEvents;
  readonly surroundings: Surroundings;
  readonly isChanged: boolean;
};

/** Tries an address against the rules, those included that are not saved yet. */
export function TryAddress({ session, events, surroundings, isChanged }: Props): ComponentChild {
  async function ask(inviter: string): Promise<string> {
    if (!isChanged) return explainDecision(await askDecision(session, inviter));
    return `With your changes, which are not saved yet: ${explainDecision(decideUnsaved(events, surroundings, inviter))}`;
  }
  return h(
    Section,
    { title: 'Try it', hint: 'What would happen if somebody invited you?' },
    // An answer is about the rules as they were when it was given.
    h(AskAddress, { key: JSON.stringify([...events.values()]), label: 'The address of a person', verb: 'Try', ask }),
  );
}
