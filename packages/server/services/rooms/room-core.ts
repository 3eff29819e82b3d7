import type { EventSigner } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { createChainStore } from '@portico/storage/chain-cover/index.ts';
import type { StateStore } from '@portico/storage/state-trie/index.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { pacedReader } from '../paced-reader.ts';
import type { RoomNames } from '../reading/room-names.ts';
import type { UnreadService } from '../unread/unread-service.ts';
import { checkSendable } from './check-sendable.ts';
import { createStepCommitter } from './commit-steps.ts';
import { createRoomHeads } from './heads.ts';
import { joinImported } from './importing/join-imported.ts';
import { recordRemoteMembership } from './importing/remote-invite.ts';
import { createKnownState } from './known-state.ts';
import { createNewRooms } from './new-rooms.ts';
import { type AskPolicyServer, createRoomPolicy } from './policy/room-policy.ts';
import { createReadState } from './read-state.ts';
import { createMerger } from './receiving/merge.ts';
import { createReceiver } from './receiving/receiver.ts';
import { createReferenceHashes } from './reference-hashes.ts';
import { createRoomCosts } from './resolution/room-costs.ts';
import { createStateResolver } from './resolution/state-resolver.ts';
import type { RoomCore } from './room-parts.ts';
import { createStateEvents } from './state-events.ts';
import { createRoomWriter } from './writer.ts';

export type RoomCoreOptions = {
  readonly db: Database;
  readonly states: StateStore;
  readonly unread: UnreadService;
  readonly signer: EventSigner;
  readonly serverName: string;
  readonly now: () => number;
  readonly randomId: () => string;
  /** Asks policy servers, where this one federates. */
  readonly askPolicyServer?: AskPolicyServer;
};

const askNobody: AskPolicyServer = () => Promise.reject(new MatrixError('policy.unavailable'));

/** Everything that decides events and adds them to rooms, whoever they are from. */
export function createRoomCore(options: RoomCoreOptions, roomNames: RoomNames): RoomCore {
  const { db, states, unread, signer, serverName, now, randomId, askPolicyServer = askNobody } = options;
  const stateEvents = createStateEvents(db);
  const known = createKnownState(states, stateEvents);
  const heads = createRoomHeads({ db, states });
  const chains = createChainStore(pacedReader(db), { maxEvents: 50_000 });
  const committer = createStepCommitter({ db, states, chains, heads, stateEvents, unread, signer });
  const costs = createRoomCosts();
  const merger = createMerger(states, createStateResolver({ db, states, chains, stateEvents, costs }));
  const references = createReferenceHashes(db);
  const policy = createRoomPolicy({ db, known, ask: askPolicyServer });
  const deciding = {
    db,
    policy,
    states,
    chains,
    heads,
    known,
    stateEvents,
    unread,
    signer,
    now,
    committer,
    references,
    randomId,
    merger,
    serverName,
  };
  const readState = createReadState(db, stateEvents);
  const writer = createRoomWriter(deciding);
  const findRoomNid = (roomId: string) => roomNames.find(roomId);
  const headOf = async (roomNid: number) => heads.current(roomNid) ?? (await heads.load(roomNid));
  return {
    writer,
    receiver: createReceiver({ ...deciding, readState }),
    merger,
    costs,
    references,
    newRooms: createNewRooms({ db, starts: writer, serverName, randomId, now }),
    readState,
    importing: deciding,
    joinImported: (joined) => joinImported({ ...deciding, findRoomNid }, joined),
    recordRemote: (membership) => recordRemoteMembership({ db, serverName, findRoomNid }, membership),
    async signByPolicy(roomNid, pdu) {
      const head = await headOf(roomNid);
      return head === undefined ? pdu : policy.sign(head, pdu);
    },
    async refuseUnsendable(roomNid, event) {
      const head = await headOf(roomNid);
      if (head !== undefined) checkSendable(head, event, signer);
    },
  };
}
