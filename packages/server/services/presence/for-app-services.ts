import type { Database } from '@portico/storage';
import { movedMemberOf } from '@portico/storage/stores/rooms/moved-member.ts';
import { readAccounts } from '@portico/storage/stores/app-services/app-service-members.ts';
import { readLocalMembers } from '@portico/storage/stores/presence/presence-audience.ts';
import type { AppService } from '../appservices/app-service.ts';
import type { PresenceFor } from '../appservices/delivery/ephemeral.ts';
import { createSmallCache, type SmallCache } from '../reading/small-cache.ts';
import { createPacer } from '../pacer.ts';
import type { OwnPeople } from './own-people.ts';
import type { PeopleRooms } from './people-rooms.ts';
import type { Policies } from './policies.ts';
import type { RemotePeople } from './remote-people.ts';
import { maxShown, type ShownMemory } from './shown-memory.ts';
import type { Sight } from './sight.ts';
import { lookOf, nothingToSee, presenceEvent, type PresenceView } from './view.ts';

/** What application services are told of who is online: what at least one of their users may see. */
export interface PresenceForServices {
  readonly presenceFor: PresenceFor;
  /** Calls back with people of whom services may have to be told something. */
  onChange(listener: (userIds: readonly string[]) => void): void;
  /** Remembers what services were told before this process, so that they are told the truth about all of that. */
  restore(): Promise<void>;
  close(): void;
}

type Dependencies = {
  readonly db: Database;
  readonly services: readonly AppService[];
  readonly isOwn: (userId: string) => boolean;
  readonly own: OwnPeople;
  readonly remote: RemotePeople;
  readonly policies: Policies;
  readonly rooms: PeopleRooms;
  readonly sight: Sight;
  readonly memory: Pick<ShownMemory, 'take' | 'grew' | 'shrank' | 'stored'>;
  readonly now: () => number;
};

/** What a service knows of somebody: it sees them, or was told with these changes that it sees them no more. */
type Told = 'sees' | readonly string[];
/** Through whom a service sees somebody; if through nobody, as of when that was found. */
type Through = { readonly recipient: string | undefined; readonly asOf: string; readonly rooms: unknown };
type Known = {
  /** Who was told last comes last. */
  readonly told: Map<string, Told>;
  readonly through: SmallCache<string, Through>;
  moves: number;
};

const maxPeople = 20_000;
const perPage = 500;

export function createPresenceForServices(deps: Dependencies): PresenceForServices {
  const { db, isOwn, own, remote, policies, rooms, sight, memory, now } = deps;
  const services = deps.services.filter(({ receivesEphemeral, url }) => receivesEphemeral && url !== undefined);
  const known = new Map<AppService, Known>(
    services.map((service) => [service, { told: new Map(), through: createSmallCache(maxPeople), moves: 0 }]),
  );
  const listeners: ((userIds: readonly string[]) => void)[] = [];

  /** What has changed before anybody listens. */
  const early = new Set<string>();

  function changed(userIds: readonly string[]): void {
    if (userIds.length === 0) return;
    if (listeners.length === 0) for (const userId of userIds) early.add(userId);
    for (const listener of listeners) listener(userIds);
  }

  /** As if the service were somebody who syncs; no user ID looks like that. */
  const asViewer = (service: AppService): string => `application service ${service.id}`;

  function note(service: AppService, { told }: Known, userId: string, what: Told): void {
    const isFirst = !told.delete(userId);
    told.set(userId, what);
    if (isFirst) memory.grew(asViewer(service), userId);
    const [oldest] = told.keys();
    if (told.size > maxShown && oldest !== undefined && told.delete(oldest)) memory.shrank(asViewer(service), oldest);
  }

  /** What services were told by the process before this one. */
  async function restore(): Promise<void> {
    for (const [service, { told }] of known) {
      const userIds = await memory.take(asViewer(service));
      for (const userId of userIds) if (!told.has(userId)) told.set(userId, 'sees');
      changed(userIds);
    }
  }

  const isPresent = (userId: string): boolean =>
    isOwn(userId) ? lookOf(own.known(userId)) !== '' : remote.isPresent(userId);

  /** Whoever of a service might see somebody, the likeliest first. */
  async function* candidates(service: AppService, userId: string): AsyncGenerator<string, void, void> {
    if (service.matchesUser(userId)) yield userId;
    yield service.sender;
    const names = isOwn(userId) ? namesIn(await policies.load(userId)) : remote.namesOf(userId);
    for (const name of names) if (service.matchesUser(name)) yield name;
    await rooms.load([userId]);
    const nids = [...(rooms.known(userId)?.keys() ?? [])];
    for (let after = ''; nids.length > 0;) {
      const page = await readLocalMembers(db, nids, after, perPage);
      for (const member of page) if (service.matchesUser(member)) yield member;
      after = page.at(-1) ?? '';
      if (page.length < perPage) break;
    }
    if (!isOwn(userId) || !hasPatterns(await policies.load(userId))) return;
    for (let after = ''; ;) {
      const page = await readAccounts(db, after, perPage);
      for (const other of page) if (service.matchesUser(other)) yield other;
      after = page.at(-1) ?? '';
      if (page.length < perPage) return;
    }
  }

  /** What a user of a service sees; `undefined` if they may see nothing. */
  async function seen(userId: string, recipient: string): Promise<PresenceView | undefined> {
    if (!isOwn(userId)) return sight.look(userId, recipient);
    return (await sight.decide(userId, recipient)).allowed ? ((await own.find(userId)) ?? nothingToSee) : undefined;
  }

  async function find(service: AppService, userId: string, ofService: Known): Promise<PresenceView | undefined> {
    const asOf = `${ofService.moves} ${isOwn(userId) ? (await policies.load(userId)).version : ''}`;
    await rooms.load([userId]);
    const theirRooms = rooms.known(userId);
    const before = ofService.through.get(userId);
    if (before?.recipient !== undefined) {
      const view = await seen(userId, before.recipient);
      if (view !== undefined && (isOwn(userId) || lookOf(view) !== '')) return view;
    } else if (before?.asOf === asOf && before.rooms === theirRooms && isOwn(userId)) return undefined;
    const pace = createPacer();
    let found: PresenceView | undefined;
    let through: string | undefined;
    for await (const recipient of candidates(service, userId)) {
      const view = await seen(userId, recipient);
      if (view !== undefined && (found === undefined || lookOf(view) !== '')) [found, through] = [view, recipient];
      // Other servers may tell each of their recipients something else; of one's own people all see the same.
      if (found !== undefined && (isOwn(userId) || lookOf(found) !== '')) break;
      await pace();
    }
    ofService.through.set(userId, { recipient: through, asOf, rooms: theirRooms });
    return found;
  }

  const stop = db.onChanges((batches) => {
    if (services.length === 0) return;
    const moved = new Set<string>();
    for (const { changes } of batches) {
      for (const change of changes) {
        const { kind, key } = change;
        // Also whom the person ignores.
        if (kind === 'account_data' && own.known(String(key)) !== undefined) moved.add(String(key));
        const member = movedMemberOf(change);
        if (member === undefined) continue;
        const { roomNid, userId } = member;
        moved.add(userId);
        for (const service of services) {
          const ofService = known.get(service);
          if (ofService === undefined || !service.matchesUser(userId)) continue;
          ofService.moves += 1;
          for (const other of rooms.heldIn(roomNid)) moved.add(other);
        }
      }
    }
    changed([...moved]);
  });
  if (services.length > 0) {
    own.onChange((userId) => changed([userId]));
    remote.onChange((userId) => changed([userId]));
  }

  return {
    async presenceFor(service, userIds) {
      const ofService = known.get(service);
      if (ofService === undefined) return [];
      const { told } = ofService;
      const events: string[] = [];
      for (const userId of userIds) {
        const before = told.get(userId);
        if (before === undefined && !isPresent(userId)) continue;
        const view = await find(service, userId, ofService);
        if (view !== undefined && (lookOf(view) !== '' || before !== undefined)) {
          note(service, ofService, userId, 'sees');
          events.push(presenceEvent(userId, view, now()));
        } else if (view === undefined && (before === 'sees' || before === userIds)) {
          // The same changes come again if the service did not take them.
          note(service, ofService, userId, userIds);
          events.push(presenceEvent(userId, nothingToSee, now()));
        }
      }
      // The process may be killed right after.
      await memory.stored(asViewer(service));
      return events;
    },
    onChange(listener) {
      listeners.push(listener);
      if (early.size > 0) listener([...early]);
      early.clear();
    },
    restore,
    close: stop,
  };
}

/** Where presence is turned off. */
export const noPresenceForServices: PresenceForServices = {
  presenceFor: () => Promise.resolve([]),
  onChange: () => undefined,
  restore: () => Promise.resolve(),
  close: () => undefined,
};

type Compiled = Awaited<ReturnType<Policies['load']>>;

function namesIn({ policy: { own } }: Compiled): Iterable<string> {
  return own.kind === 'malformed' ? [] : own.allowed.users;
}

function hasPatterns({ policy: { own } }: Compiled): boolean {
  return own.kind === 'lists' && own.allowed.globs.all.length > 0;
}
