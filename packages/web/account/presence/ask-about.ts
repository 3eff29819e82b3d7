import { type ComponentChild, h } from 'preact';
import type { Session } from '../server/session.ts';
import { AskAddress } from '../view/ask-address.ts';
import { askSight } from './presence-questions.ts';
import { explainSight } from './sight-words.ts';

type Props = { readonly session: Session; nameOf(roomId: string): string };

/** Whether one person can see the person, whoever they are. */
export function AskAbout({ session, nameOf }: Props): ComponentChild {
  return h(AskAddress, {
    label: 'Can somebody see me? Their address',
    verb: 'Ask',
    async ask(userId) {
      const sight = await askSight(session, userId);
      return `${sight.isAllowed ? 'Yes' : 'No'}, ${userId} ${sight.isAllowed ? 'can' : 'cannot'} see you. ${explainSight(sight, nameOf)}`;
    },
  });
}
