import { type ComponentChild, h } from 'preact';
import { readEvents, type StoredEvents } from '../lists/stored-events.ts';
import type { PageProps } from '../page-props.ts';
import type { Rooms } from '../rooms/room-book.ts';
import { codeOf } from '../server/server-problem.ts';
import type { Session } from '../server/session.ts';
import { Waiting } from '../view/messages.ts';
import { useLoaded } from '../view/use-loaded.ts';
import { PresenceForm } from './presence-form.ts';
import { readSights } from './presence-questions.ts';
import { sharingEventTypes } from './sharing.ts';

type Start = { readonly events: StoredEvents; readonly rooms: Rooms; readonly isOff: boolean };

/** Whether the server keeps track of who is online at all. */
async function isTurnedOff(session: Session): Promise<boolean> {
  try {
    await readSights(session);
    return false;
  } catch (error) {
    if (codeOf(error) === 'M_FORBIDDEN') return true;
    throw error;
  }
}

export function PresencePage({ session, rooms }: PageProps): ComponentChild {
  const { value, problem, reload } = useLoaded(async (): Promise<Start> => {
    const [events, known, isOff] = await Promise.all([
      readEvents(session, sharingEventTypes),
      rooms.load(),
      isTurnedOff(session),
    ]);
    return { events, rooms: known, isOff };
  });
  if (value === undefined) return h(Waiting, { problem, onRetry: reload });
  if (value.isOff) {
    return h('p', null, 'This server tells nobody who is online. There is nothing to set here.');
  }
  return h(PresenceForm, { session, start: value.events, rooms: value.rooms });
}
