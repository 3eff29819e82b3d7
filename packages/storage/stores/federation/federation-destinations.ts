import type { Reader, WriteSet } from '../../database.ts';
import { sql } from '../../sql.ts';
import { dropDeliveredEdus, type EduPlace } from './stored-edus.ts';

/** How far another server has got. */
export type DestinationRow = {
  readonly host: string;
  /** It has been sent all events up to here, and told of all receipts. */
  readonly position: number;
  readonly receipt_position: number;
  /** How often in a row it could not be reached, and when it is to be asked again. */
  readonly failures: number;
  readonly retry_at: number;
  /** When it could not be reached for the first time since it has answered; 0 if it answers. */
  readonly failing_since: number;
  /** The bounds of a transaction that it may have got, as JSON. */
  readonly attempt: string | null;
  readonly claimed_by: string | null;
};

const selectDestination = sql<DestinationRow, [host: string]>(
  'federation-destinations.get',
  `select host, position, receipt_position, failures, retry_at, failing_since, attempt, claimed_by
   from federation_destinations where host = $1`,
);

const selectFirstPosition = sql<{ position: number | null }, [host: string]>(
  'federation-destinations.first-position',
  'select min(since_position) as position from joined_hosts where host = $1',
);

const claim = sql<void, [host: string, position: number, process: string, now: number]>(
  'federation-destinations.claim',
  `insert into federation_destinations (host, position, receipt_position, failures, retry_at, claimed_by)
   values ($1, $2, $2, 0, 0, $3)
   on conflict (host) do update set claimed_by = excluded.claimed_by
   where federation_destinations.claimed_by is null or federation_destinations.claimed_by = excluded.claimed_by
     or not exists (
       select 1 from processes p where p.process = federation_destinations.claimed_by and p.alive_until > $4)`,
);

const update = sql<
  void,
  [
    host: string,
    process: string,
    position: number,
    receiptPosition: number,
    failures: number,
    retryAt: number,
    attempt: string | null,
    failingSince: number,
  ]
>(
  'federation-destinations.set',
  `update federation_destinations
   set position = $3, receipt_position = $4, failures = $5, retry_at = $6, attempt = $7, failing_since = $8
   where host = $1 and claimed_by = $2`,
);

const deleteEndedRequests = sql<void, [host: string, upTo: number]>(
  'ended-requests.delete',
  'delete from ended_requests where host = $1 and position <= $2',
);

/** A server that cannot be reached, and when it is to be asked again. */
export type ParkedRow = { readonly host: string; readonly retry_at: number };

const selectParked = sql<ParkedRow, [process: string, retryAt: number, host: string, limit: number]>(
  'federation-destinations.parked',
  `select host, retry_at from federation_destinations
   where retry_at > 0 and (retry_at, host) > ($2, $3) and (claimed_by is null or claimed_by = $1)
   order by retry_at, host limit $4`,
);

/** Those servers that cannot be reached and are a process's, or nobody's: behind one of them, in the order in which they are due. */
export function readParked(
  reader: Reader,
  process: string,
  { retry_at: retryAt, host }: ParkedRow,
  limit: number,
): Promise<ParkedRow[]> {
  return reader.all(selectParked, [process, retryAt, host, limit]);
}

const selectUnmet = sql<{ host: string }, [hosts: string]>(
  'federation-destinations.unmet',
  `select p.value as host from json_each(cast($1 as text)) p
   where not exists (select 1 from joined_hosts h where h.host = p.value)
     and not exists (select 1 from federation_destinations d where d.host = p.value)`,
);

/** Which of these servers have never shared a room with this one, and are not known to have been asked anything. */
export async function readUnmet(reader: Reader, hosts: readonly string[]): Promise<readonly string[]> {
  return (await reader.all(selectUnmet, [JSON.stringify(hosts)])).map(({ host }) => host);
}

type StandingRow = { readonly host: string; readonly retry_at: number; readonly is_known: number };

const selectStandings = sql<StandingRow, [hosts: string]>(
  'federation-destinations.standings',
  `select p.value as host, coalesce(d.retry_at, 0) as retry_at,
     case when exists (select 1 from joined_hosts h where h.host = p.value) then 1 else 0 end as is_known
   from json_each(cast($1 as text)) p
   left join federation_destinations d on d.host = p.value
   where d.host is not null or exists (select 1 from joined_hosts h where h.host = p.value)`,
);

/**
 * Of these servers those that have shared a room with this one, or have been asked something: whether they answered when they were
 * asked last, or were not asked yet; and if not, whether they are among the former (`away`) or not (`lost`).
 */
export async function readStandings(
  reader: Reader,
  hosts: readonly string[],
): Promise<ReadonlyMap<string, 'answers' | 'away' | 'lost'>> {
  const rows = await reader.all(selectStandings, [JSON.stringify(hosts)]);
  return new Map(
    rows.map(({ host, retry_at: retryAt, is_known: isKnown }) => [
      host,
      retryAt === 0 ? 'answers' : isKnown === 1 ? 'away' : 'lost',
    ]),
  );
}

export function findDestination(reader: Reader, host: string): Promise<DestinationRow | undefined> {
  return reader.get(selectDestination, [host]);
}

/** Since when a server is in a room that this one knows. */
export async function findFirstPosition(reader: Reader, host: string): Promise<number | undefined> {
  return (await reader.get(selectFirstPosition, [host]))?.position ?? undefined;
}

/** Fails on the guard `federation.claim` if another process that is alive sends to the server. */
export function claimDestination(set: WriteSet, host: string, position: number, process: string, now: number): void {
  set.guard('federation.claim', 1, claim, [host, position, process, now]);
}

/** Keeps how far a server has got. Fails on the guard `federation.claim` if another process has taken it over. */
export function setDestination(
  set: WriteSet,
  process: string,
  row: Omit<DestinationRow, 'claimed_by'>,
  delivered: readonly EduPlace[] = [],
): void {
  const { host, position, receipt_position: receipts, failures, retry_at: retryAt, attempt } = row;
  const state = [failures, retryAt, attempt, row.failing_since] as const;
  set.guard('federation.claim', 1, update, [host, process, position, receipts, ...state]);
  set.add(deleteEndedRequests, [host, position]);
  dropDeliveredEdus(set, host, delivered);
}
