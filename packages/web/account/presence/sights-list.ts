import { type ComponentChild, h } from 'preact';
import type { Session } from '../server/session.ts';
import { Problem, Waiting } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { useAction } from '../view/use-action.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { AskAbout } from './ask-about.ts';
import { readSights, type SightPage } from './presence-questions.ts';
import { explainSight, type Sight } from './sight-words.ts';

type Props = { readonly session: Session; nameOf(roomId: string): string };

/** Who can see the person now, and why. */
export function SightsList({ session, nameOf }: Props): ComponentChild {
  const { value, problem, reload, replace } = useLoaded(() => readSights(session));
  const more = useAction();

  async function loadMore({ sights, next }: SightPage): Promise<void> {
    const page = await readSights(session, next);
    replace({ ...page, sights: [...sights, ...page.sights] });
  }
  return h(
    Section,
    { title: 'Who can see me right now', hint: 'As it is saved, by the rules of this server.' },
    value === undefined ? h(Waiting, { problem, onRetry: reload }) : h(Sights, { page: value, nameOf }),
    value?.next === undefined
      ? null
      : h(
          'button',
          { type: 'button', disabled: more.isBusy, onClick: () => more.run(() => loadMore(value)) },
          'Show more people',
        ),
    h(Problem, { text: more.problem }),
    h(AskAbout, { session, nameOf }),
  );
}

const sources = {
  own: undefined,
  default: 'You have set nothing yourself: this is what the server sets for everyone.',
  none: 'You have set nothing yet: everyone who shares a room with you sees you.',
} as const;

function Sights({ page, nameOf }: { readonly page: SightPage; nameOf(roomId: string): string }): ComponentChild {
  const { sights, source, isMalformed, next } = page;
  const allowed = sights.filter(({ isAllowed }) => isAllowed);
  const others = sights.filter(({ isAllowed }) => !isAllowed);
  const atLeast = next === undefined ? '' : ' so far';
  return h(
    'div',
    null,
    sources[source] === undefined ? null : h('p', null, sources[source]),
    isMalformed ? h('p', { class: 'problem' }, 'Your settings cannot be understood, so nobody sees you.') : null,
    h('h4', null, `Can see me (${allowed.length}${atLeast})`),
    h(SightEntries, { sights: allowed, nameOf }),
    h('h4', null, `Cannot see me (${others.length}${atLeast})`),
    h(SightEntries, { sights: others, nameOf }),
  );
}

type EntriesProps = { readonly sights: readonly Sight[]; nameOf(roomId: string): string };

export function SightEntries({ sights, nameOf }: EntriesProps): ComponentChild {
  if (sights.length === 0) return h('p', { class: 'none' }, 'Nobody.');
  return h(
    'ul',
    { class: 'people' },
    sights.map((sight) =>
      h('li', { key: sight.userId }, h('bdi', null, sight.userId), h('small', null, explainSight(sight, nameOf))),
    ),
  );
}
