import type { Database } from '@portico/storage';
import type { AppService } from '../app-service.ts';

/** What has changed for a service since it was last told, where no position says it. Kept in memory, within bounds. */
export interface Passing {
  /** Rooms in which somebody began or ended typing, or has read. */
  readonly typing: Pile<number>;
  readonly receipts: Pile<number>;
  /** Its users whose one-time keys are others now. */
  readonly keyCounts: Pile<string>;
  /** People whose presence has changed. */
  readonly presence: Pile<string>;
}

/** Distinct things, up to a number of them. */
export interface Pile<T> {
  add(item: T): void;
  /** There may be others that nobody could name. */
  overflow(): void;
  /** Takes everything. `overflowed`: there was more than could be kept. */
  take(): { readonly items: readonly T[]; readonly overflowed: boolean };
}

const maxItems = 10_000;

function createPile<T>(): Pile<T> {
  let items = new Set<T>();
  let overflowed = false;
  return {
    add(item) {
      if (items.size < maxItems) items.add(item);
      else if (!items.has(item)) overflowed = true;
    },
    overflow() {
      overflowed = true;
    },
    take() {
      const taken = { items: [...items], overflowed };
      items = new Set();
      overflowed = false;
      return taken;
    },
  };
}

/** What is told with one transaction, however often it has to be repeated. */
export type Taken = {
  readonly typing: readonly number[];
  /** `'any'`: of whichever rooms there are some. */
  readonly receipts: readonly number[] | 'any';
  readonly keyCounts: readonly string[];
  readonly presence: readonly string[];
};

export function takeAll({ typing, receipts, keyCounts, presence }: Passing): Taken {
  const read = receipts.take();
  return {
    typing: typing.take().items,
    receipts: read.overflowed ? 'any' : read.items,
    keyCounts: keyCounts.take().items,
    presence: presence.take().items,
  };
}

/** Of a transaction that was begun before the process was: what is not stored has been lost. */
export const takenBefore: Taken = { typing: [], receipts: 'any', keyCounts: [], presence: [] };

export function createPassing(): Passing {
  return { typing: createPile(), receipts: createPile(), keyCounts: createPile(), presence: createPile() };
}

/** Notes what commits change for a service, and says whether any of it is something to be told. */
export function noteChanges(
  passing: Passing,
  service: AppService,
  batches: Parameters<Parameters<Database['onChanges']>[0]>[0],
): boolean {
  let concerned = false;
  for (const { changes } of batches) {
    for (const { kind, key } of changes) {
      if (kind === 'room' || kind === 'membership') concerned = true;
      if (service.receivesEphemeral && kind === 'receipt') passing.receipts.add(Number(key));
      if (service.receivesEphemeral && (kind === 'receipt' || kind === 'to_device')) concerned = true;
      if (!service.receivesDeviceLists) continue;
      if (kind === 'one_time_keys' && service.ownsUser(String(key))) passing.keyCounts.add(String(key));
      if (kind === 'one_time_keys' || kind === 'device_lists' || kind === 'own_device_list') concerned = true;
    }
  }
  return concerned;
}
