import { isJsonObject, parseJson } from '@portico/protocol';
import { saysDeactivated } from '@portico/protocol/privacy/deactivation-marker.ts';
import type { Database } from '@portico/storage';
import { findPeopleInRooms, readOwnLeaves } from '@portico/storage/stores/privacy/departures.ts';

/** Drops what is remembered about a person of another server. */
export type ForgetPerson = (userId: string) => void;

type Dependencies = {
  readonly db: Database;
  readonly isOwn: (userId: string) => boolean;
  readonly forget: ForgetPerson;
  readonly onFailure: (error: unknown) => void;
};

type Member = { readonly roomNid: number; readonly userId: string };

const atOnce = 500;
/** What does not fit is forgotten with time alone: whoever makes so many people leave gains nothing. */
const mostWaiting = 20_000;

/**
 * > Services and clients that see this key can assume that the user is no longer using Matrix and can therefore start cleaning
 * > up any connected metadata/cached information about the user.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/3759}
 *
 * Only once no room is shared with them any more, and only what would be asked for anew: the marker may be a lie. Their
 * devices, and their entry in the user directory, go with the last shared room whatever their leave says.
 */
export function watchDepartures({ db, isOwn, forget, onFailure }: Dependencies): { close(): Promise<void> } {
  let waiting: Member[] = [];
  let working: Promise<void> | undefined;
  let closed = false;

  async function work(): Promise<void> {
    while (waiting.length > 0) {
      const some = waiting.splice(0, atOnce);
      const gone = new Set<string>();
      for (const { user_id: userId, content: text } of await readOwnLeaves(db, some)) {
        const content = parseJson(text, 'lenient');
        const event = { type: 'm.room.member', sender: userId, stateKey: userId };
        if (isJsonObject(content) && saysDeactivated({ ...event, content })) gone.add(userId);
      }
      if (gone.size === 0) continue;
      const present = await findPeopleInRooms(db, [...gone]);
      for (const userId of gone) if (!present.has(userId)) forget(userId);
    }
  }

  function start(): void {
    if (waiting.length === 0 || working !== undefined || closed) return;
    working = work()
      .catch((error: unknown) => {
        waiting = [];
        onFailure(error);
      })
      .finally(() => {
        working = undefined;
        start();
      });
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) {
        if (kind !== 'membership' || waiting.length >= mostWaiting) continue;
        const [roomNid = '', userId = ''] = String(key).split(' ', 2);
        if (!isOwn(userId)) waiting.push({ roomNid: Number(roomNid), userId });
      }
    }
    start();
  });

  return {
    async close() {
      closed = true;
      waiting = [];
      stop();
      await working;
    },
  };
}
