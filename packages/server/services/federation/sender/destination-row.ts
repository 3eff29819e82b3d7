import type { ServerName } from '@portico/protocol';
import { createWriteSet, StorageError } from '@portico/storage';
import {
  claimDestination,
  type DestinationRow,
  findDestination,
  findFirstPosition,
  setDestination,
} from '@portico/storage/stores/federation/federation-destinations.ts';
import type { EduPlace } from '@portico/storage/stores/federation/stored-edus.ts';
import type { Backlog } from './backlog.ts';
import type { SenderDependencies } from './sender-dependencies.ts';

/** A server's row, which only the process that has claimed it writes: up to where the server has everything, and how it answers. */
export interface HeldRow {
  /** `undefined` until it is claimed. */
  readonly known: DestinationRow | undefined;
  /** Whether the server has not answered lately. */
  readonly isFailing: boolean;
  /** Whether it has not been sent anything yet. */
  readonly isNew: boolean;
  /** Reads and claims it, unless that is done. */
  claim(): Promise<DestinationRow>;
  /** Writes it, and deletes EDUs that the server has got. Fails where another process has claimed it. */
  write(next: DestinationRow, delivered?: readonly EduPlace[]): Promise<void>;
  /** Whether there is no row any more, so that it must be claimed anew. */
  isForgotten(): Promise<boolean>;
  /** What need not be written, since it is found again. */
  note(next: Partial<DestinationRow>): void;
  /** Everything before a position has been offered: where nothing of that kind waits, the server has it up to there. */
  caughtUp(kind: 'position' | 'receipt_position', after: number): void;
  /** Up to where the server has everything; `undefined` where the row says so. */
  readonly settled: number | undefined;
}

type Options = {
  readonly host: ServerName;
  /** Up to where the server has everything, where this process knows that, since it has been sending to it. */
  readonly upToDate: number | undefined;
  /** Up to where everything was settled when this began, whoever sent it. */
  readonly settled: number;
};

type Dependencies = Pick<SenderDependencies, 'db' | 'process' | 'now'>;

/** Whether it is another process now that sends to the server. */
export function isLost(error: unknown): boolean {
  return error instanceof StorageError && error.guard === 'federation.claim';
}

export function holdRow(deps: Dependencies, options: Options, pending: Backlog['pending']): HeldRow {
  const { db, process, now } = deps;
  const { host, upToDate, settled } = options;
  let row = upToDate === undefined ? undefined : newRow(upToDate);
  let isNew = false;

  function newRow(position: number): DestinationRow {
    const fresh = { failures: 0, retry_at: 0, failing_since: 0, attempt: null, claimed_by: process };
    return { host, position, receipt_position: position, ...fresh };
  }

  async function claim(): Promise<DestinationRow> {
    const known = await findDestination(db, host);
    if (known?.claimed_by === process) return known;
    const first = known === undefined ? await findFirstPosition(db, host) : undefined;
    const position = known?.position ?? Math.min((first ?? Infinity) - 1, settled);
    const set = createWriteSet();
    claimDestination(set, host, position, process, now());
    await db.commit(set);
    isNew = known === undefined;
    return known ?? newRow(position);
  }

  return {
    get known() {
      return row;
    },
    get isFailing() {
      return (row?.failures ?? 0) > 0;
    },
    get isNew() {
      return isNew;
    },
    async claim() {
      row ??= await claim();
      return row;
    },
    async write(next, delivered) {
      const set = createWriteSet();
      setDestination(set, process, next, delivered);
      await db.commit(set);
      row = next;
      if (next.attempt === null) isNew = false;
    },
    isForgotten: async () => (await findDestination(db, host)) === undefined,
    note(next) {
      if (row !== undefined) row = { ...row, ...next };
    },
    caughtUp(kind, after) {
      const isPending = pending()[kind === 'position' ? 'events' : 'receipts'];
      if (row !== undefined && row.attempt === null && !isPending && row[kind] < after) row = { ...row, [kind]: after };
    },
    get settled() {
      if (row === undefined) return settled;
      if (row.failures > 0) return undefined;
      const { events, receipts } = pending();
      const isOpen = row.attempt !== null;
      const lowest = Math.min(
        events || isOpen ? row.position : Infinity,
        receipts || isOpen ? row.receipt_position : Infinity,
      );
      return lowest === Infinity ? undefined : lowest;
    },
  };
}
