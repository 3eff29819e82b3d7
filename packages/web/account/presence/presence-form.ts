import { type ComponentChild, h } from 'preact';
import { useState } from 'preact/hooks';
import { SaveBar } from '../lists/save-bar.ts';
import { isSameEvents, type StoredEvents } from '../lists/stored-events.ts';
import { useDraft } from '../lists/use-draft.ts';
import type { Rooms } from '../rooms/room-book.ts';
import type { Session } from '../server/session.ts';
import { Problem } from '../view/messages.ts';
import { useAction } from '../view/use-action.ts';
import { ChangesView } from './changes-view.ts';
import { DefaultChoice } from './default-choice.ts';
import { MalformedLists } from './malformed-lists.ts';
import { PeopleList } from './people-list.ts';
import { type Changes, previewSharing } from './presence-questions.ts';
import { RoomChoices } from './room-choices.ts';
import { RoomHints } from './room-hints-view.ts';
import { findDeniedInSpaces, findUpgraded } from './room-hints.ts';
import { contentInUse, malformedLists, roomsIn, typeInUse } from './sharing.ts';
import { SightsList } from './sights-list.ts';

type Props = {
  readonly session: Session;
  readonly start: StoredEvents;
  readonly rooms: Rooms;
  /** Whether the server has set something for those who have set nothing. */
  readonly hasDefault: boolean;
};
type Preview = { readonly of: StoredEvents; readonly changes: Changes };

export function PresenceForm({ session, start, rooms, hasDefault }: Props): ComponentChild {
  const draft = useDraft(session, start, (edit, events) => ({ ...edit, type: typeInUse(events) }));
  const [preview, setPreview] = useState<Preview>();
  const [saves, setSaves] = useState(0);
  const previewing = useAction();
  const { events, edit } = draft;
  const content = contentInUse(events);
  const type = typeInUse(events);
  const nameOf = (roomId: string): string => rooms.byId.get(roomId)?.name ?? roomId;
  const named = new Set([...roomsIn(content, 'allowed_users'), ...roomsIn(content, 'denied_users')]);

  async function look(): Promise<void> {
    setPreview({ of: events, changes: await previewSharing(session, content) });
  }
  return h(
    'div',
    null,
    h(
      'p',
      null,
      'Apps show your contacts when you are online, and what you say about yourself there. Decide here who gets to see that.',
    ),
    hasDefault && saves === 0
      ? h(
          'p',
          { class: 'warnings' },
          'You have set nothing yourself, so what the server sets for everyone counts; at the bottom of the page you see for whom. ' +
            'As soon as you save something here, it counts instead.',
        )
      : null,
    h(MalformedLists, { type, lists: malformedLists(content), edit }),
    h(RoomHints, {
      type,
      denied: findDeniedInSpaces(content, rooms),
      upgraded: findUpgraded(content, rooms),
      edit,
    }),
    h(DefaultChoice, { content, type, hasDefault, edit }),
    h(PeopleList, {
      content,
      type,
      edit,
      list: 'allowed_users',
      title: 'People who always see me',
      hint: 'Even if you share no room with them.',
    }),
    h(PeopleList, {
      content,
      type,
      edit,
      list: 'denied_users',
      title: 'People who never see me',
      hint: 'Unless they are among those who always do.',
    }),
    h(RoomChoices, {
      content,
      type,
      edit,
      rooms: rooms.joined,
      strangeRooms: [...named].filter((id) => !rooms.byId.has(id)),
    }),
    h(
      SaveBar,
      { draft, onSaved: () => setSaves(saves + 1) },
      h(
        'button',
        { type: 'button', disabled: !draft.isChanged || previewing.isBusy, onClick: () => previewing.run(look) },
        previewing.isBusy ? 'Looking …' : 'What would change?',
      ),
    ),
    h(Problem, { text: previewing.problem }),
    preview === undefined || !draft.isChanged || !isSameEvents(preview.of, events)
      ? null
      : h(ChangesView, { changes: preview.changes, nameOf }),
    h(SightsList, { key: saves, session, nameOf }),
  );
}
