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

type Start = { readonly events: StoredEvents; readonly rooms: Rooms; readonly standing: Standing };

/** Whether the server keeps track of who is online at all; and if so, whether its default is in force. */
type Standing = 'off' | 'default' | 'own';

async function readStanding(session: Session): Promise<Standing> {
  try {
    const { source } = await readSights(session);
    return source === 'default' ? 'default' : 'own';
  } catch (error) {
    if (codeOf(error) === 'M_FORBIDDEN') return 'off';
    throw error;
  }
}

export function PresencePage({ session, rooms }: PageProps): ComponentChild {
  const { value, problem, reload } = useLoaded(async (): Promise<Start> => {
    const [events, known, standing] = await Promise.all([
      readEvents(session, sharingEventTypes),
      rooms.load(),
      readStanding(session),
    ]);
    return { events, rooms: known, standing };
  });
  if (value === undefined) return h(Waiting, { problem, onRetry: reload });
  if (value.standing === 'off') {
    return h('p', null, 'This server tells nobody who is online. There is nothing to set here.');
  }
  return h(PresenceForm, {
    session,
    start: value.events,
    rooms: value.rooms,
    hasDefault: value.standing === 'default',
  });
}
