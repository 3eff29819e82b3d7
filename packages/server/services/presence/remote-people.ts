import { isMeant, type InboundList } from '@portico/protocol/privacy/presence/inbound-list.ts';
import type { After } from '../sync/waiting.ts';
import { createDueTimes } from './due-times.ts';
import type { PresenceView } from './view.ts';

/**
 * What other servers say of their people. A push is a message to its recipients: whoever is not among them goes on seeing
 * what they were told before.
 */
export interface RemotePeople {
  receive(userId: string, view: PresenceView, list: InboundList): void;
  /** What was said some milliseconds ago, as another process tells it: whatever was said since counts before it. */
  recall(userId: string, view: PresenceView, list: InboundList, age: number): void;
  /** What somebody was last told; `undefined` for nothing. */
  viewFor(userId: string, recipient: string, sharesRoom: boolean): PresenceView | undefined;
  /** Whether anybody has been told anything else than that they are offline. */
  isPresent(userId: string): boolean;
  /** Whether anything that was said of them still counts. */
  isKnown(userId: string): boolean;
  /** Everybody whom a push that still counts named. */
  namesOf(userId: string): ReadonlySet<string>;
  /** Everything that was said and still counts, of each person the oldest first. */
  all(): Iterable<readonly [userId: string, push: Push]>;
  /** Drops what was said of somebody: to all who saw them they are offline. */
  forget(userId: string): void;
  onChange(listener: (userId: string) => void): void;
  close(): void;
}

export type Push = { readonly view: PresenceView; readonly list: InboundList; readonly at: number };
type Person = { readonly pushes: readonly Push[]; names: ReadonlySet<string> | undefined };

type Dependencies = { readonly now: () => number; readonly after: After };

/** Other servers say again at least every half hour who is online. */
const expiresAfter = 35 * 60_000;
/** Lists longer than an entry takes come in parts, right one after the other. */
const partsWithin = 10_000;
/** What this process is told when it is new may be older than what it hears meanwhile. */
const newFor = 60_000;
const maxPushes = 16;
const maxNames = 10_000;
const maxPeople = 50_000;

const nobody: ReadonlySet<string> = new Set();

export function createRemotePeople({ now, after }: Dependencies): RemotePeople {
  const people = new Map<string, Person>();
  const listeners: ((userId: string) => void)[] = [];
  const dueTimes = createDueTimes({ now, after, onDue: expire });
  const begin = now();

  function changed(userId: string): void {
    for (const listener of listeners) listener(userId);
  }

  function expire(userId: string): void {
    const person = people.get(userId);
    if (person === undefined) return;
    keep(
      userId,
      person.pushes.filter(({ at }) => now() - at < expiresAfter),
    );
    changed(userId);
  }

  function keep(userId: string, pushes: readonly Push[]): void {
    people.delete(userId);
    const oldest = pushes.at(-1);
    if (oldest === undefined) {
      dueTimes.set(userId, undefined);
      return;
    }
    people.set(userId, { pushes, names: undefined });
    dueTimes.set(userId, oldest.at + expiresAfter);
    if (people.size <= maxPeople) return;
    const [first] = people.keys();
    if (first === undefined) return;
    keep(first, []);
    changed(first);
  }

  function add(userId: string, push: Push): void {
    const before = people.get(userId)?.pushes ?? [];
    const newer = before.filter(({ at }) => at > push.at);
    const { view, list } = push;
    const reach = 1 + before.findIndex((each) => each.list.kind === 'everyone');
    const newest = reach === 0 ? before : before.slice(0, reach);
    const isNews =
      !newest.some((each) => isSame(each.view, view) && covers(each.list, list)) &&
      !newer.some((each) => covers(each.list, list));
    const older = addPush(before.slice(newer.length), push);
    keep(
      userId,
      newer.reduceRight((pushes, each) => addPush(pushes, each), older),
    );
    if (isNews) changed(userId);
  }

  return {
    receive(userId, view, list) {
      if (!people.has(userId) && view.state === 'offline' && now() - begin > newFor) return;
      add(userId, { view, list, at: now() });
    },
    recall(userId, view, list, age) {
      if (age < expiresAfter) add(userId, { view, list, at: now() - age });
    },
    viewFor(userId, recipient, sharesRoom) {
      const pushes = people.get(userId)?.pushes;
      return pushes?.find(({ list }) => isMeant(list, recipient, sharesRoom))?.view;
    },
    isPresent: (userId) => people.get(userId)?.pushes.some(({ view }) => view.state !== 'offline') === true,
    isKnown: (userId) => people.has(userId),
    namesOf(userId) {
      const person = people.get(userId);
      if (person === undefined) return nobody;
      person.names ??= namesIn(person.pushes);
      return person.names;
    },
    *all() {
      for (const [userId, { pushes }] of people) for (const push of pushes.toReversed()) yield [userId, push];
    },
    forget(userId) {
      if (!people.has(userId)) return;
      keep(userId, []);
      changed(userId);
    },
    onChange: (listener) => void listeners.push(listener),
    close: dueTimes.close,
  };
}

/** The newest comes first. What nobody is told any more is left out. */
function addPush(before: readonly Push[], push: Push): readonly Push[] {
  const { list } = push;
  const [newest, ...older] = before;
  const isPart = newest !== undefined && push.at - newest.at < partsWithin && isSame(newest.view, push.view);
  if (isPart && newest.list.kind === 'listed' && list.kind === 'listed') {
    const users = new Set([...newest.list.users, ...list.users]);
    const globs = [...new Set([...newest.list.globs, ...list.globs])];
    return trim([{ ...push, list: { kind: 'listed', users, globs } }, ...withoutMeant(older, list)]);
  }
  return trim([push, ...withoutMeant(before, list)]);
}

function withoutMeant(pushes: readonly Push[], meant: InboundList): readonly Push[] {
  const rest: Push[] = [];
  const patterns = new Set(meant.kind === 'listed' ? meant.globs : []);
  for (const push of pushes) {
    const { list } = push;
    if (meant.kind === 'everyone') {
      // Those who are named and share no room are not meant by "everyone".
      if (list.kind === 'listed' && list.users.size > 0) rest.push({ ...push, list: { ...list, globs: [] } });
    } else if (list.kind === 'everyone') rest.push(push);
    else {
      const users = list.users.difference(meant.users);
      const globs = list.globs.filter((glob) => !patterns.has(glob));
      if (users.size + globs.length > 0) rest.push({ ...push, list: { kind: 'listed', users, globs } });
    }
  }
  return rest;
}

function trim(pushes: readonly Push[]): readonly Push[] {
  let names = 0;
  return pushes.slice(0, maxPushes).filter(({ list }, index) => {
    names += list.kind === 'listed' ? list.users.size : 0;
    return index === 0 || names <= maxNames;
  });
}

/** Whether everyone meant by a list is meant by another one. */
function covers(list: InboundList, other: InboundList): boolean {
  if (list.kind === 'everyone' || other.kind === 'everyone') return list.kind === other.kind;
  for (const user of other.users) if (!list.users.has(user)) return false;
  const patterns = new Set(list.globs);
  return other.globs.every((glob) => patterns.has(glob));
}

function isSame(one: PresenceView, other: PresenceView): boolean {
  return one.state === other.state && one.statusMsg === other.statusMsg && one.isActive === other.isActive;
}

function namesIn(pushes: readonly Push[]): ReadonlySet<string> {
  const [only] = pushes;
  if (pushes.length === 1 && only?.list.kind === 'listed') return only.list.users;
  const names = new Set<string>();
  for (const { list } of pushes) if (list.kind === 'listed') for (const user of list.users) names.add(user);
  return names;
}
