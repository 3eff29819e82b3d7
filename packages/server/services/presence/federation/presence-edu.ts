import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol';
import { type InboundList, inboundListSteps } from '@portico/protocol/privacy/presence/inbound-list.ts';
import type { Reader } from '@portico/storage';
import { readExistingAccounts } from '@portico/storage/stores/presence/presence.ts';
import { type EduHandler, userOf } from '../../federation/receiving/edus.ts';
import { inSteps } from '../../in-steps.ts';
import { createPacer } from '../../pacer.ts';
import type { PeopleRooms } from '../people-rooms.ts';
import type { SharedPresence } from '../share-presence.ts';
import type { RemotePeople } from '../remote-people.ts';
import { maxStatusLength, parsePresenceState, type PresenceView } from '../view.ts';
import type { AwareServers } from './aware-servers.ts';

type Dependencies = {
  readonly reader: Reader;
  readonly serverName: string;
  readonly remote: Pick<RemotePeople, 'isKnown'>;
  /** Takes a push, here and in all other processes. */
  readonly take: SharedPresence['receive'];
  readonly rooms: Pick<PeopleRooms, 'load' | 'known'>;
  readonly aware: Pick<AwareServers, 'note'>;
  readonly now: () => number;
};

type Pacer = ReturnType<typeof createPacer>;
type Push = { readonly userId: string; readonly view: PresenceView; readonly list: InboundList };

/** Servers in use send up to 50 in one EDU; more than this are not looked at. */
const maxPushes = 256;
/** Different names, and patterns, in one EDU. What is said for more than that is for nobody. */
const maxNames = 20_000;
const maxPatterns = 2048;
/** Names that are looked up at once. */
const namesPerQuery = 500;
/** Of one person, after so many recipients others get their turn: few have more to say at once. */
const maxNamesAtOnce = 1024;

/** {@link https://spec.matrix.org/v1.19/server-server-api/#presence}, with the `allowed_recipients` of MSC4325. */
export function presenceEdu({ reader, serverName, remote, take, rooms, aware, now }: Dependencies): EduHandler {
  async function parse(origin: string, value: JsonValue): Promise<Push | undefined> {
    if (!isJsonObject(value)) return undefined;
    const userId = userOf(origin, value['user_id']);
    const view = parseView(value, now());
    if (userId === undefined || view === undefined) return undefined;
    if (Array.isArray(value['allowed_recipients'])) aware.note(origin);
    const list = await inSteps(inboundListSteps(value['allowed_recipients'], serverName));
    return { userId, view, list };
  }

  /** Names of people who are not here are not kept: there is no end of them. */
  async function keepAccounts(pushes: readonly Push[], pace: Pacer): Promise<readonly Push[]> {
    const names = new Set<string>();
    for (const { list } of pushes) {
      if (list.kind === 'listed') for (const user of list.users) names.add(user);
      await pace();
    }
    if (names.size === 0) return pushes;
    const all = [...names];
    const existing = new Set<string>();
    for (let start = 0; start < all.length; start += namesPerQuery) {
      const part = all.slice(start, start + namesPerQuery);
      for (const user of await readExistingAccounts(reader, part)) existing.add(user);
      await pace();
    }
    const kept: Push[] = [];
    for (const push of pushes) {
      const { list } = push;
      if (list.kind === 'everyone') kept.push(push);
      else kept.push({ ...push, list: { ...list, users: list.users.intersection(existing) } });
      await pace();
    }
    return kept;
  }

  return {
    afterEvents: true,
    async receive({ origin, content }) {
      const { push: values } = content;
      if (!Array.isArray(values)) return;
      const pace = createPacer();
      const parsed: Push[] = [];
      const names = new Set<string>();
      let patterns = 0;
      for (const value of values.slice(0, maxPushes)) {
        const push = await parse(origin, value);
        await pace();
        if (push === undefined) continue;
        if (push.list.kind === 'listed') {
          for (const user of push.list.users) names.add(user);
          patterns += push.list.globs.length;
        }
        if (names.size > maxNames || patterns > maxPatterns) break;
        parsed.push(push);
      }
      const pushes = await keepAccounts(parsed, pace);
      await rooms.load(pushes.map(({ userId }) => userId));
      let current: string | undefined;
      let recipients = 0;
      for (const { userId, view, list } of pushes) {
        // What is said of one person belongs together: nobody may be shown the half of it.
        if (list.kind === 'listed') recipients += list.users.size + list.globs.length;
        if (userId !== current || recipients > maxNamesAtOnce) {
          await pace();
          recipients = 0;
        }
        current = userId;
        // What was said of them before must not come back when they do. Who shares no room with anybody here concerns
        // only those whom they name.
        const isKnown = (rooms.known(userId)?.size ?? 0) > 0 || remote.isKnown(userId);
        if (isKnown || (list.kind === 'listed' && list.users.size > 0)) take(userId, view, list);
      }
    },
  };
}

function parseView(push: JsonObject, now: number): PresenceView | undefined {
  const { status_msg: status, last_active_ago: ago, currently_active: active } = push;
  const state = parsePresenceState(push['presence']);
  if (state === undefined) return undefined;
  const hasStatus = typeof status === 'string' && status !== '' && status.length <= maxStatusLength;
  return {
    state,
    statusMsg: hasStatus ? status : undefined,
    lastActive: typeof ago === 'number' && ago >= 0 ? Math.max(0, now - ago) : undefined,
    isActive: active === true && state !== 'offline',
  };
}
