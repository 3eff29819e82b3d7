import type { Outcome, ReceivedEvent } from '../../rooms/receiving/received-event.ts';
import { MissingEventsError } from '../../rooms/receiving/received-event.ts';
import type { Receiver } from '../../rooms/receiving/receiver.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { InboundRedactions } from './inbound-redactions.ts';
import type { FetchMissing } from './missing-events.ts';

/** Makes a checked event part of its room, as far as it may be; what it builds on is fetched from the server given. */
export type IngestEvent = (room: FederatedRoom, received: ReceivedEvent, from: string) => Promise<Outcome>;

type Dependencies = {
  readonly receiver: Receiver;
  readonly redactions: InboundRedactions;
  readonly fetchMissing: FetchMissing;
};

/** How often what an event builds on is fetched before it is given up. */
const maxRounds = 10;

export function createIngest({ receiver, redactions, fetchMissing }: Dependencies): IngestEvent {
  async function receive(room: FederatedRoom, received: ReceivedEvent): Promise<Outcome> {
    const outcome = await receiver.receive(room, received);
    if (outcome.kind === 'accepted') await redactions.settle(room, received.event, outcome.eventNid);
    return outcome;
  }

  return async (room, received, from) => {
    for (let round = 0; ; round++) {
      try {
        return await receive(room, received);
      } catch (error) {
        if (!(error instanceof MissingEventsError) || round >= maxRounds) throw error;
        const isBetter = await fetchMissing(room, received.event, error, from, async (other) => {
          try {
            await receive(room, other);
            return undefined;
          } catch (fault) {
            if (fault instanceof MissingEventsError) return fault;
            throw fault;
          }
        });
        if (!isBetter) throw error;
      }
    }
  };
}
