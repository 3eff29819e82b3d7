import type { Reader } from '@portico/storage';
import { readOtherHosts } from '@portico/storage/stores/federation/federation-outgoing.ts';
import type { Outbox } from '../federation/sender/outbox.ts';
import type { Typing, TypingChange } from './typing.ts';

type Dependencies = {
  readonly db: Reader;
  readonly typing: Pick<Typing, 'onLocalChange'>;
  readonly outbox: Pick<Outbox, 'put'>;
  readonly serverName: string;
  readonly onFailure: (error: unknown) => void;
};

/** Tells the other servers of a room who of this one begins and ends typing. */
export function sendTyping({ db, typing, outbox, serverName, onFailure }: Dependencies): void {
  async function tell({ roomNid, roomId, userId, typing: isTyping }: TypingChange): Promise<void> {
    const hosts = await readOtherHosts(db, roomNid, serverName);
    const content = { room_id: roomId, typing: isTyping, user_id: userId };
    const key = `m.typing ${roomId} ${userId}`;
    outbox.put(hosts, { key, type: 'm.typing', content, urgent: true, lasting: false });
  }

  typing.onLocalChange((change) => {
    tell(change).catch(onFailure);
  });
}
