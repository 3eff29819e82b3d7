import { serverNameOf } from '@portico/protocol';
import { emptySharing, parsePresenceSharing } from '@portico/protocol/privacy/presence/sharing.ts';
import type { Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts.ts';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import { createFanOut } from '../services/presence/fan-out.ts';
import { keepStates } from '../services/presence/keep-states.ts';
import { createOwnPeople } from '../services/presence/own-people.ts';
import { createPeopleRooms } from '../services/presence/people-rooms.ts';
import { createPolicies } from '../services/presence/policies.ts';
import { createPresenceStream } from '../services/presence/presence-stream.ts';
import { createPresence, noPresence, type Presence } from '../services/presence/presence.ts';
import { createRemotePeople } from '../services/presence/remote-people.ts';
import { createShownMemory } from '../services/presence/shown-memory.ts';
import { createSight } from '../services/presence/sight.ts';
import { createViewers } from '../services/presence/viewers.ts';
import type { IgnoredUsers } from '../services/reading/ignored-users.ts';
import type { OnlineIndex } from '../services/sync/online-index.ts';
import type { SyncStream } from '../services/sync/streams.ts';
import { realTimers } from '../services/sync/waiting.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly ignored: IgnoredUsers;
  readonly serverName: string;
  readonly now: () => number;
  readonly randomId: () => string;
  readonly log: Logger;
  /** Of the sync engine, which is made of the streams among other things. */
  readonly online: () => OnlineIndex;
};

export type PresenceParts = {
  readonly presence: Presence;
  readonly streams: readonly SyncStream[];
  /** Drops what other servers said of somebody. */
  readonly forget: (userId: string) => void;
  close(): Promise<void>;
};

const off: PresenceParts = {
  presence: noPresence,
  streams: [],
  forget: () => undefined,
  close: () => Promise.resolve(),
};

/** Who is online, and who may know. */
export async function createPresenceParts(context: Context): Promise<PresenceParts> {
  const { config, db, ignored, serverName, now, randomId, log, online } = context;
  if (!config.presence.enabled) return off;
  const isOwn = (userId: string) => serverNameOf(userId) === serverName;
  const own = createOwnPeople({ reader: db, now, after: realTimers });
  const remote = createRemotePeople({ now, after: realTimers });
  const rooms = createPeopleRooms(db);
  const policies = createPolicies({ reader: db, ignored, rules: rulesOf(config) });
  const sight = createSight({ isOwn, own, remote, policies, rooms });
  const shown = createShownMemory(db);
  const viewers = createViewers({
    now,
    after: realTimers,
    wake: (userId) => online().wakeUser(userId),
    onAsleep(viewer) {
      shown.put(viewer);
      rooms.release(viewer.userId);
    },
  });
  const onFailure = (error: unknown) => log.error({ error }, 'Telling people who is online failed');
  const fanOut = createFanOut({ db, serverName, isOwn, own, remote, policies, rooms, sight, viewers, onFailure });
  const states = await keepStates({
    db,
    own,
    after: realTimers,
    onFailure: (error) => log.error({ error }, 'Storing presence failed'),
  });
  const epoch = randomId().replaceAll(/[^0-9A-Za-z]/g, '');
  return {
    presence: createPresence({
      isOwn,
      own,
      rooms,
      sight,
      now,
      async hasAccount(userId) {
        const account = await findAccount(db, userId);
        return account !== undefined && account.deactivated_at === null;
      },
    }),
    streams: [createPresenceStream({ viewers, fanOut, rooms, sight, shown, epoch, now })],
    forget: (userId) => remote.forget(userId),
    async close() {
      own.close();
      remote.close();
      viewers.close();
      await fanOut.close();
      rooms.close();
      await states.close();
      await shown.store(viewers.all());
    },
  };
}

function rulesOf({ privacy }: Config) {
  const { default: byDefault, overrides } = privacy.presence;
  const parsed = parsePresenceSharing({ ...overrides });
  const isSet = Object.keys(byDefault).length > 0;
  return {
    default: isSet ? parsePresenceSharing({ ...byDefault }) : undefined,
    overrides: parsed.kind === 'lists' ? parsed : emptySharing,
  };
}
