import { isWaiting } from '../../rooms/receiving/redaction-gate.ts';
import type { ReceivedEvent, Result } from '../../rooms/receiving/received-event.ts';
import type { Receiver } from '../../rooms/receiving/receiver.ts';
import type { FederatedRoom } from '../rooms/federated-rooms.ts';
import type { InboundRedactions } from './inbound-redactions.ts';

type Dependencies = {
  readonly receiver: Pick<Receiver, 'receiveAll'>;
  readonly redactions: Pick<InboundRedactions, 'settle'>;
};

/** Receives events of one room together, and does what redactions among them, and of them, ask for. One result for each; never rejects. */
export type ReceiveTogether = (room: FederatedRoom, events: readonly ReceivedEvent[]) => Promise<readonly Result[]>;

export function createReceiveTogether({ receiver, redactions }: Dependencies): ReceiveTogether {
  return async (room, events) => {
    try {
      const results = await receiver.receiveAll(room, events);
      const accepted = results.flatMap((result, index) => {
        const received = events[index];
        return result.kind === 'accepted' && received ? [{ event: received.event, eventNid: result.eventNid }] : [];
      });
      const waiting = events.filter((_, index) => {
        const result = results[index];
        return result?.kind === 'soft-failed' && isWaiting(result);
      });
      const failures = await redactions.settle(
        room,
        accepted,
        waiting.map(({ event }) => event),
      );
      return results.map((result, index) => {
        const error = failures.get(events[index]?.event.eventId ?? '');
        return error === undefined ? result : { kind: 'failed', error };
      });
    } catch (error) {
      return events.map(() => ({ kind: 'failed', error }));
    }
  };
}
