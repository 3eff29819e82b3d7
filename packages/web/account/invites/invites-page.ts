import { inviteConfigTypes } from '@portico/protocol/privacy/invites/invite-config.ts';
import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { SaveBar } from '../lists/save-bar.ts';
import { readEvents, type StoredEvents } from '../lists/stored-events.ts';
import { useDraft } from '../lists/use-draft.ts';
import type { PageProps } from '../page-props.ts';
import { Waiting } from '../view/messages.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { InviteFlaws } from './invite-flaws.ts';
import { readSurroundings, type Surroundings } from './invite-questions.ts';
import { InviteRules } from './invite-rules.ts';
import { PendingInvites } from './pending-invites.ts';
import { TryAddress } from './try-address.ts';

type Start = { readonly events: StoredEvents; readonly surroundings: Surroundings };

export function InvitesPage(props: PageProps): ComponentChild {
  const { value, problem, reload } = useLoaded(async (): Promise<Start> => {
    const [events, surroundings] = await Promise.all([
      readEvents(props.session, inviteConfigTypes),
      readSurroundings(props.session),
    ]);
    return { events, surroundings };
  });
  return value === undefined ? h(Waiting, { problem, onRetry: reload }) : h(InviteForm, { ...props, ...value });
}

function InviteForm({ session, rooms, events: start, surroundings }: PageProps & Start): ComponentChild {
  const draft = useDraft(session, start);
  const [saves, setSaves] = useState(0);
  const { events, isChanged, edit } = draft;
  return h(
    'div',
    null,
    h('p', null, 'Who may invite you to rooms and chats is up to you.'),
    h(InviteFlaws, { events, edit }),
    h(InviteRules, { events, edit }),
    Object.keys(surroundings.policy).length === 0
      ? null
      : h('p', { class: 'hint' }, 'Whoever runs the server has set rules for everyone, which count before yours.'),
    h(SaveBar, { draft, onSaved: () => setSaves(saves + 1) }),
    h(TryAddress, { session, events, surroundings, isChanged }),
    h(PendingInvites, { key: saves, session, rooms }),
  );
}
