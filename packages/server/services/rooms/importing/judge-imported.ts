import { authorise, checkAuthEvents, type RoomEvent, type RoomVersionRules } from '@portico/protocol';
import { createPacer } from '../../pacer.ts';

/** `unknown`: an event by which it is to be judged is not here, or cannot be judged itself. */
export type ImportVerdict = 'allowed' | 'rejected' | 'unknown';

/** An event that is stored already, and may be named by others. */
export type JudgedEvent = { readonly event: RoomEvent; readonly verdict: ImportVerdict };

/**
 * Whether each event is allowed by its auth events, which come before it or are known. What cannot be judged is not
 * rejected: once an event is, it stays so for good.
 *
 * The create event is the one that the auth events name, or since room version 12 the one that the room ID names, if that
 * was not itself rejected.
 *
 * > If any of the event's auth events is rejected, the event is rejected
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#rejection}
 */
export async function judgeImported(
  rules: RoomVersionRules,
  ordered: readonly RoomEvent[],
  known: ReadonlyMap<string, JudgedEvent>,
): Promise<ReadonlyMap<string, ImportVerdict>> {
  const judged = new Map(known);
  const pace = createPacer();
  for (const event of ordered.filter(isCreate)) decide(event, undefined);
  const create = rules.event.createInAuthEvents ? undefined : [...judged.values()].find(isAcceptedCreate)?.event;
  for (const event of ordered) {
    decide(event, create);
    await pace();
  }
  return new Map([...judged].map(([eventId, { verdict }]) => [eventId, verdict]));

  function decide(event: RoomEvent, roomCreate: RoomEvent | undefined): void {
    const verdict = judged.get(event.eventId)?.verdict ?? judge(event, roomCreate);
    judged.set(event.eventId, { event, verdict });
  }

  function judge(event: RoomEvent, roomCreate: RoomEvent | undefined): ImportVerdict {
    const named = event.authEvents.map((eventId) => judged.get(eventId)).filter((each) => each !== undefined);
    if (named.some(({ verdict }) => verdict === 'rejected')) return 'rejected';
    if (named.length < event.authEvents.length || named.some(({ verdict }) => verdict === 'unknown')) return 'unknown';
    const events = named.map((each) => each.event);
    if (checkAuthEvents(rules, event, events).kind === 'reject') return 'rejected';
    const get = (type: string, stateKey: string) =>
      events.find((each) => each.type === type && each.stateKey === stateKey);
    return authorise(rules, event, { get, create: roomCreate }).kind === 'allow' ? 'allowed' : 'rejected';
  }
}

function isCreate({ type }: RoomEvent): boolean {
  return type === 'm.room.create';
}

function isAcceptedCreate({ event, verdict }: JudgedEvent): boolean {
  return isCreate(event) && verdict === 'allowed';
}
