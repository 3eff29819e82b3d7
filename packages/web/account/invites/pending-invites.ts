import { type ComponentChild, h } from 'preact';
import { useEffect } from 'preact/hooks';
import type { PageProps } from '../page-props.ts';
import { Problem, Status, Waiting } from '../view/messages.ts';
import { Section } from '../view/section.ts';
import { useAction } from '../view/use-action.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { DeclineAll } from './decline-all.ts';
import { decline, type Pending, readPending } from './invite-questions.ts';

type Props = Pick<PageProps, 'session' | 'rooms'>;

/** In milliseconds, how often one looks how far the server is with declining. */
const lookAgain = 1000;

/** Invitations that are not answered yet, those that the rules hide included. */
export function PendingInvites({ session, rooms }: Props): ComponentChild {
  const { value, problem, reload, replace } = useLoaded(async () => {
    const [page, known] = await Promise.all([readPending(session), rooms.reload()]);
    return { page, names: known.invitedNames };
  });
  const action = useAction();
  const isDeclining = value?.page.isDeclining === true;
  useEffect(() => {
    if (!isDeclining) return undefined;
    const timer = setTimeout(reload, lookAgain);
    return () => clearTimeout(timer);
  }, [value]);

  if (value === undefined) {
    return h(Section, { title: 'Invitations I have not answered' }, h(Waiting, { problem, onRetry: reload }));
  }
  const { page, names } = value;
  async function loadMore(): Promise<void> {
    const more = await readPending(session, page.next);
    replace({ names, page: { ...more, invites: [...page.invites, ...more.invites] } });
  }
  async function declineOne({ roomId }: Pending): Promise<void> {
    await decline(session, roomId);
    replace({ names, page: { ...page, invites: page.invites.filter((invite) => invite.roomId !== roomId) } });
  }
  return h(
    Section,
    { title: `Invitations I have not answered (${page.invites.length}${page.next === undefined ? '' : ' or more'})` },
    h(Status, { text: isDeclining ? 'The server is declining invitations …' : undefined }),
    h(Problem, { text: problem ?? action.problem }),
    page.invites.length === 0
      ? h('p', { class: 'none' }, 'None.')
      : h(
          'ul',
          { class: 'entries' },
          page.invites.map((invite) =>
            h(PendingInvite, {
              key: invite.roomId,
              invite,
              name: names.get(invite.roomId) ?? 'A room without a name',
              isBusy: action.isBusy,
              onDecline: () => action.run(() => declineOne(invite)),
            }),
          ),
        ),
    page.next === undefined
      ? null
      : h('button', { type: 'button', disabled: action.isBusy, onClick: () => action.run(loadMore) }, 'Show more'),
    page.invites.length === 0 || isDeclining ? null : h(DeclineAll, { session, onDone: reload }),
  );
}

type RowProps = { readonly invite: Pending; readonly name: string; readonly isBusy: boolean; onDecline(): void };

function PendingInvite({ invite, name, isBusy, onDecline }: RowProps): ComponentChild {
  const { inviter, at, isHidden } = invite;
  const when = Number.isNaN(at.getTime()) ? '' : `, ${at.toLocaleString()}`;
  return h(
    'li',
    null,
    h(
      'span',
      null,
      h('bdi', null, name),
      h('small', null, 'from ', h('bdi', null, inviter), when, isHidden ? '. Hidden by your rules.' : ''),
    ),
    h(
      'button',
      { type: 'button', disabled: isBusy, 'aria-label': `Decline ${name} from ${inviter}`, onClick: onDecline },
      'Decline',
    ),
  );
}
