import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { fairLimit } from '../fair-limit.ts';

/** A message that one device has left for another. */
export type RendezvousRow = {
  readonly content: string;
  /** Another one for each message. */
  readonly tag: string;
  readonly modified_at: number;
  readonly expires_at: number;
};

const columns = 'content, tag, modified_at, expires_at';

const selectSession = sql<RendezvousRow, [idHash: string, now: number]>(
  'rendezvous.get',
  `select ${columns} from rendezvous_sessions where id_hash = $1 and expires_at > $2`,
);

export function findRendezvous(reader: Reader, idHash: string, now: number): Promise<RendezvousRow | undefined> {
  return reader.get(selectSession, [idHash, now]);
}

const mostAtOnce = 1000;

const deleteExpired = sql<void, [now: number]>(
  'rendezvous.delete-expired',
  'delete from rendezvous_sessions where expires_at <= $1',
);
const makeRoom = fairLimit({
  table: 'rendezvous_sessions',
  key: 'id_hash',
  name: 'rendezvous.make-room',
  most: mostAtOnce,
  // Some may stay for longer than others, and would outlast all of those.
  age: 'modified_at',
});
const insertSession = sql<
  void,
  [idHash: string, content: string, tag: string, modifiedAt: number, expiresAt: number, network: string]
>(
  'rendezvous.insert',
  `insert into rendezvous_sessions (id_hash, ${columns}, network) values ($1, $2, $3, $4, $5, $6)`,
);

/** Also clears away what has expired, and where there are a thousand, of the network that has the most, the one with the oldest message. */
export function addRendezvous(set: WriteSet, idHash: string, row: RendezvousRow, network: string): void {
  set.add(deleteExpired, [row.modified_at]);
  set.add(makeRoom, []);
  set.add(insertSession, [idHash, row.content, row.tag, row.modified_at, row.expires_at, network]);
}

const updateSession = sql<void, [idHash: string, before: string, content: string, tag: string, modifiedAt: number]>(
  'rendezvous.update',
  `update rendezvous_sessions set content = $3, tag = $4, modified_at = $5
   where id_hash = $1 and tag = $2 and expires_at > $5`,
);

/** Puts another message in the place of one. Fails on the guard `rendezvous.changed` where that is not there any more. */
export function changeRendezvous(
  set: WriteSet,
  idHash: string,
  before: string,
  { content, tag, modified_at: modifiedAt }: Omit<RendezvousRow, 'expires_at'>,
): void {
  set.guard('rendezvous.changed', 1, updateSession, [idHash, before, content, tag, modifiedAt]);
}

const deleteSession = sql<void, [idHash: string]>(
  'rendezvous.delete',
  'delete from rendezvous_sessions where id_hash = $1',
);

export function removeRendezvous(set: WriteSet, idHash: string): void {
  set.add(deleteSession, [idHash]);
}
