import { isJsonObject, parseJson } from '@portico/protocol';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import {
  type AbandonedRow,
  closeGapsOf,
  dropEdusAt,
  forgetDestination,
  readAbandoned,
  readEdusBehind,
} from '@portico/storage/stores/federation/abandoned-destinations.ts';
import type { EduPlace, StoredEduRow } from '@portico/storage/stores/federation/stored-edus.ts';
import { createAlarm } from '../../alarm.ts';

/** Lets go of what waits for servers that have not answered for long, so that it does not fill the disk. */
export interface Abandoned {
  /** Does so now. */
  run(): Promise<void>;
  close(): Promise<void>;
}

type Options = {
  readonly db: Database;
  readonly process: string;
  readonly now: () => number;
  readonly log: { warn(details: object, message: string): void };
  readonly isUnderWay: (host: string) => boolean;
};

const day = 24 * 60 * 60_000;
/** Anybody can write to servers that do not exist. One that somebody meant says something, or answers, within a week. */
export const strangersKeptFor = 7 * day;
/** Among what waits are keys to what was said in rooms meanwhile. */
export const keptFor = 90 * day;
const firstAfter = 10 * 60_000;
const hostsPerPage = 200;
const edusPerPage = 500;
const beforeAll: EduPlace = { position: -1, seq: 0 };

/** Of what a server must hear of in the end, the last says enough: where it misses those before, it asks. */
function subjectOf({ edu_type: type, content }: StoredEduRow): string | undefined {
  if (type !== 'm.device_list_update' && type !== 'm.signing_key_update') return undefined;
  const value = parseJson(content, 'lenient');
  return isJsonObject(value) && typeof value['user_id'] === 'string' ? `${type} ${value['user_id']}` : undefined;
}

export function createAbandoned({ db, process, now, log, isUnderWay }: Options): Abandoned {
  const closing = new AbortController();
  const alarm = createAlarm(() => {
    run().catch((error: unknown) => log.warn({ err: error }, 'Letting go of servers that do not answer failed'));
  });
  let working: Promise<void> | undefined;

  async function trim(host: string, keepsLast: boolean): Promise<void> {
    const latest = new Map<string, EduPlace>();
    let hasDropped = false;
    for (let after = beforeAll; !closing.signal.aborted;) {
      const rows = await readEdusBehind(db.long, host, after, edusPerPage);
      const dropped: EduPlace[] = [];
      for (const row of rows) {
        const subject = keepsLast ? subjectOf(row) : undefined;
        const old = subject === undefined ? row : latest.get(subject);
        if (old !== undefined) dropped.push(old);
        if (subject !== undefined) latest.set(subject, row);
      }
      if (dropped.length > 0) {
        const set = createWriteSet();
        dropEdusAt(set, host, dropped);
        await db.commit(set);
        hasDropped = true;
      }
      after = rows.at(-1) ?? after;
      if (rows.length < edusPerPage) break;
    }
    if (!hasDropped) return;
    const set = createWriteSet();
    closeGapsOf(set, host);
    await db.commit(set);
  }

  async function forget(host: string): Promise<void> {
    const set = createWriteSet();
    forgetDestination(set, host, process, now() - strangersKeptFor);
    try {
      await db.commit(set);
    } catch (error) {
      if (!(error instanceof StorageError) || error.guard !== 'federation.abandoned') throw error;
    }
  }

  async function letGo({ host, failing_since: since, has_shared_room: hasSharedRoom }: AbandonedRow): Promise<void> {
    if (isUnderWay(host)) return;
    if (hasSharedRoom === 0) {
      await trim(host, false);
      if (!isUnderWay(host)) await forget(host);
    } else if (since <= now() - keptFor) await trim(host, true);
  }

  async function work(): Promise<void> {
    for (let after = ''; !closing.signal.aborted;) {
      const rows = await readAbandoned(db.long, process, now() - strangersKeptFor, { after, limit: hostsPerPage });
      for (const row of rows) {
        if (closing.signal.aborted) return;
        await letGo(row);
      }
      after = rows.at(-1)?.host ?? after;
      if (rows.length < hostsPerPage) return;
    }
  }

  function run(): Promise<void> {
    working ??= work().finally(() => {
      working = undefined;
      if (!closing.signal.aborted) alarm.reset(day);
    });
    return working;
  }

  alarm.set(firstAfter);

  return {
    run,
    async close() {
      closing.abort();
      alarm.clear();
      await working?.catch(() => undefined);
    },
  };
}
