import { roomVersions, type ServerName } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { findMemberEvent } from '@portico/storage/stores/federation/federation-rooms.ts';
import { makeKnock, sendKnock } from '../../../federation-api/knocking.ts';
import type { RemoteMembership } from '../../rooms/importing/remote-invite.ts';
import type { RemoteJoin } from '../../rooms/remote-rooms.ts';
import type { FederationClient } from '../client/federation-client.ts';
import type { CheckPdus } from './check-pdus.ts';
import type { CompleteEvent } from './complete-event.ts';
import { type FilterToldState, shownState } from './shown-state.ts';
import type { SendFirst } from './send-first.ts';
import { FederationError } from '../client/federation-error.ts';
import { UnusableAnswer } from './through-servers.ts';

/** Knocks on a room that this server is not in, by way of one that is. */
export type KnockThrough = (server: ServerName, request: RemoteJoin, sendFirst: SendFirst) => Promise<void>;

type Dependencies = {
  readonly db: Reader;
  readonly client: FederationClient;
  readonly checkPdus: CheckPdus;
  readonly complete: CompleteEvent;
  readonly filterToldState: FilterToldState;
  readonly recordRemote: (membership: RemoteMembership) => Promise<unknown>;
};

/** Only versions that know of knocking: https://spec.matrix.org/v1.19/rooms/v7/ */
const versions = roomVersions.filter(({ auth }) => auth.knocking).map(({ version }) => version);

export function createKnockThrough(deps: Dependencies): KnockThrough {
  const { db, client, checkPdus, complete } = deps;
  return async (server, { userId, roomId, content }, sendFirst) => {
    await sendFirst(server, roomId);
    const template = await client.call(makeKnock, server, { params: { roomId, userId }, query: { ver: versions } });
    const { rules, pdu, parsed } = complete(template, { roomId, userId, membership: 'knock', content });
    if (!rules.auth.knocking) throw new UnusableAnswer('A room of this version cannot be knocked on');
    const sent = { params: { roomId, eventId: parsed.eventId }, body: pdu };
    const answer = await client.call(sendKnock, server, sent).catch(nothingTold);
    const [received] = await checkPdus(rules, [pdu]);
    if (received?.kind !== 'ok') throw new Error('An event of this server does not pass its own checks');
    const [told, member] = await Promise.all([
      deps.filterToldState({ rules, roomId }, answer.knock_room_state),
      findMemberEvent(db, roomId, userId),
    ]);
    // The invitation that answers a knock may have been faster.
    if (member?.membership === 'invite' || member?.membership === 'join') return;
    await deps.recordRemote({
      rules,
      received,
      previous: member?.membership ?? 'leave',
      shown: { events: shownState(told, received.event), servers: [server] },
    });
  };
}

/** The knock has been taken, whatever the server says besides: the person can withdraw it. */
function nothingTold(error: unknown): { readonly knock_room_state: [] } {
  if (error instanceof FederationError && error.failure === 'bad-answer') return { knock_room_state: [] };
  throw error;
}
