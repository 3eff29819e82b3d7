import type { Reader } from '@portico/storage';
import { findPresence, type PresenceRow } from '@portico/storage/stores/presence/presence.ts';
import type { After } from '../sync/waiting.ts';
import { combineDevices, offlineAfter, offlineAfterSetting, type PresenceDevice } from './devices.ts';
import { createDueTimes } from './due-times.ts';
import { parsePresenceState, type PresenceState, type PresenceView } from './view.ts';

/** Whether somebody did something, or time passed. */
export type ChangeCause = 'action' | 'time';

export type EndSync = () => void;

/** The presence of this server's people, as their devices say. */
export interface OwnPeople {
  /** A device begins a `/sync`. Call what it gives when that ends. */
  beginSync(userId: string, deviceId: string, asked: PresenceState): EndSync | Promise<EndSync>;
  set(userId: string, deviceId: string, state: PresenceState, statusMsg: string | undefined): Promise<void>;
  /** Somebody sent, read or typed something. */
  noteActivity(userId: string, deviceId: string): void;
  /** What is in memory: everyone who is not offline, and some who are. */
  known(userId: string): PresenceView | undefined;
  /** Looks into the database for people who are offline. */
  find(userId: string): Promise<PresenceView | undefined>;
  /** Puts back what was stored when the server last ended. Who has not come back soon is offline. */
  restore(rows: readonly PresenceRow[]): void;
  onChange(listener: (userId: string, cause: ChangeCause) => void): void;
  /** Somebody who was offline is not any more, or the other way round. */
  onComingAndGoing(listener: () => void): void;
  /** What the devices that turn to this process say together has changed, or a status has been set. */
  onHere(listener: (userId: string, here: Here) => void): void;
  /** The same of everybody who is not offline here. */
  allHere(): Iterable<readonly [userId: string, here: Here]>;
  /** Somebody's account has ended: they are offline, and nothing is kept of them. */
  end(userId: string): void;
  /** What another process says; `undefined` once it is not heard of any more. */
  setElsewhere(userId: string, process: string, here: Here | undefined): void;
  /** What has changed since it was last asked for. */
  takeChanged(limit: number): readonly PresenceRow[];
  close(): void;
}

/** What one process knows of somebody by itself. */
export type Here = {
  readonly state: PresenceState;
  readonly isActive: boolean;
  readonly lastActive: number | undefined;
  /** Where it has just been set: `null` for none. */
  readonly statusMsg?: string | null | undefined;
  /** How long ago it was set, in milliseconds, where it is told once more. */
  readonly statusAge?: number | undefined;
};

type Person = {
  readonly devices: Map<string, PresenceDevice>;
  view: PresenceView;
  /** When the status was set; `undefined` if it is that of the database. */
  statusSince?: number;
  toldHere?: string;
};

type Dependencies = { readonly reader: Reader; readonly now: () => number; readonly after: After };

/** People who are offline and still remembered. */
const maxOffline = 10_000;
const maxDevices = 100;
/** Stands for whatever devices somebody had when the process ended that was before this one. */
const restored = '';
/** Before the names of other processes; no device ID that a client has looks like that. */
const elsewherePrefix = '\n';

export function createOwnPeople({ reader, now, after }: Dependencies): OwnPeople {
  const people = new Map<string, Person>();
  const offline = new Set<string>();
  const listeners: ((userId: string, cause: ChangeCause) => void)[] = [];
  const comingListeners: (() => void)[] = [];
  const hereListeners: ((userId: string, here: Here) => void)[] = [];
  const changed = new Set<string>();
  const dueTimes = createDueTimes({
    now,
    after,
    onDue(userId) {
      const person = people.get(userId);
      if (person !== undefined) settle(userId, person, 'time');
    },
  });

  /** A map of devices, and what is known from before. */
  function personOf(userId: string, statusMsg?: string, lastActive?: number): Person {
    let person = people.get(userId);
    if (person === undefined) {
      person = { devices: new Map(), view: { state: 'offline', statusMsg, lastActive, isActive: false } };
      people.set(userId, person);
    }
    return person;
  }

  function deviceOf(person: Person, deviceId: string): PresenceDevice {
    let device = person.devices.get(deviceId);
    if (device === undefined) {
      const [oldest] = person.devices.keys();
      if (person.devices.size >= maxDevices && oldest !== undefined) person.devices.delete(oldest);
      device = { asked: 'offline', syncs: 0, connectedUntil: 0, lastActive: 0 };
      person.devices.set(deviceId, device);
    }
    return device;
  }

  /** What was restored, and what others say, is theirs to say. */
  function hereOf({ devices, view }: Person): Here {
    const mine = new Map(Array.from(devices).filter(([id, { elsewhere }]) => id !== restored && !elsewhere));
    const { state, isActive } = combineDevices(mine, now());
    return { state, isActive, lastActive: view.lastActive };
  }

  function tellHere(userId: string, person: Person, isStatusNew: boolean): void {
    if (hereListeners.length === 0) return;
    const here = hereOf(person);
    const told = `${here.state} ${here.isActive}`;
    if (!isStatusNew && (person.toldHere ?? 'offline false') === told) return;
    person.toldHere = told;
    const status = isStatusNew ? { statusMsg: person.view.statusMsg ?? null } : {};
    for (const listener of hereListeners) listener(userId, { ...here, ...status });
  }

  function settle(userId: string, person: Person, cause: ChangeCause, { statusMsg } = person.view): void {
    const { state, isActive, due } = combineDevices(person.devices, now());
    dueTimes.set(userId, due);
    let { lastActive } = person.view;
    for (const device of person.devices.values()) {
      if (device.lastActive > (lastActive ?? 0)) lastActive = device.lastActive;
    }
    const before = person.view;
    person.view = { state, isActive, statusMsg, lastActive };
    tellHere(userId, person, false);
    if (state === 'offline' && person.devices.size === 0) rememberOffline(userId);
    else offline.delete(userId);
    if (before.lastActive !== lastActive) changed.add(userId);
    if (before.state === state && before.isActive === isActive && before.statusMsg === statusMsg) return;
    changed.add(userId);
    if ((before.state === 'offline') !== (state === 'offline')) for (const listener of comingListeners) listener();
    for (const listener of listeners) listener(userId, cause);
  }

  function rememberOffline(userId: string): void {
    offline.delete(userId);
    offline.add(userId);
    for (const oldest of offline) {
      // What is not written yet must not be forgotten.
      if (offline.size <= maxOffline || changed.has(oldest)) return;
      offline.delete(oldest);
      people.delete(oldest);
    }
  }

  function begin(userId: string, person: Person, deviceId: string, asked: PresenceState): EndSync {
    const device = deviceOf(person, deviceId);
    device.syncs += 1;
    // "busy" lasts until it is taken back: clients poll with what they show otherwise.
    if (device.asked !== 'busy') {
      if (asked === 'online' && device.asked !== 'online') device.lastActive = now();
      device.asked = asked;
    }
    settle(userId, person, 'action');
    return () => {
      device.syncs -= 1;
      if (device.syncs > 0) return;
      device.connectedUntil = Math.max(device.connectedUntil, now() + offlineAfter);
      settle(userId, person, 'action');
    };
  }

  async function load(userId: string): Promise<Person | undefined> {
    const known = people.get(userId);
    if (known !== undefined) return known;
    const row = await findPresence(reader, userId);
    return row && personOf(userId, row.status_msg ?? undefined, row.last_active ?? undefined);
  }

  return {
    beginSync(userId, deviceId, asked) {
      if (asked === 'offline') return () => {};
      const known = people.get(userId);
      if (known !== undefined) return begin(userId, known, deviceId, asked);
      return load(userId).then((person) => begin(userId, person ?? personOf(userId), deviceId, asked));
    },
    async set(userId, deviceId, state, statusMsg) {
      const person = (await load(userId)) ?? personOf(userId);
      const device = deviceOf(person, deviceId);
      device.asked = state;
      device.connectedUntil = Math.max(device.connectedUntil, now() + offlineAfterSetting);
      if (state === 'online' || state === 'busy') device.lastActive = now();
      person.statusSince = now();
      settle(userId, person, 'action', { ...person.view, statusMsg });
      tellHere(userId, person, true);
    },
    noteActivity(userId, deviceId) {
      const person = people.get(userId);
      const device = person?.devices.get(deviceId);
      if (person === undefined || device === undefined || device.asked === 'offline') return;
      device.lastActive = now();
      // "Any activity that bumps the last active time […] will cause the server to automatically set their presence to `online`."
      if (device.asked === 'unavailable') device.asked = 'online';
      if (person.view.state !== 'busy' && person.view.state !== 'online') settle(userId, person, 'action');
      else if (!person.view.isActive) settle(userId, person, 'action');
    },
    known: (userId) => people.get(userId)?.view,
    find: async (userId) => (await load(userId))?.view,
    restore(rows) {
      for (const row of rows) {
        const person = personOf(row.user_id, row.status_msg ?? undefined, row.last_active ?? undefined);
        const device = deviceOf(person, restored);
        device.asked = parsePresenceState(row.presence) ?? 'offline';
        device.connectedUntil = now() + offlineAfter;
        device.lastActive = row.last_active ?? 0;
        settle(row.user_id, person, 'time');
      }
    },
    onChange: (listener) => void listeners.push(listener),
    onComingAndGoing: (listener) => void comingListeners.push(listener),
    onHere: (listener) => void hereListeners.push(listener),
    *allHere() {
      for (const [userId, person] of people) {
        const here = hereOf(person);
        const { view, statusSince = 0 } = person;
        const status = { statusMsg: view.statusMsg ?? null, statusAge: now() - statusSince };
        if (here.state !== 'offline') yield [userId, { ...here, ...status }];
      }
    },
    end(userId) {
      const person = people.get(userId);
      if (person === undefined) return;
      person.devices.clear();
      person.view = { ...person.view, lastActive: undefined };
      person.statusSince = now();
      settle(userId, person, 'action', { ...person.view, statusMsg: undefined });
    },
    setElsewhere(userId, process, here) {
      const known = people.get(userId);
      if (known === undefined && (here === undefined || (here.state === 'offline' && here.statusMsg === undefined)))
        return;
      const person = known ?? personOf(userId);
      const id = `${elsewherePrefix}${process}`;
      if (here === undefined || here.state === 'offline') person.devices.delete(id);
      else {
        const { state, isActive, lastActive = 0 } = here;
        person.devices.set(id, { asked: state, syncs: 1, connectedUntil: 0, lastActive, elsewhere: { isActive } });
      }
      const { statusMsg, statusAge = 0 } = here ?? {};
      const since = now() - statusAge;
      const isNewer = person.statusSince === undefined || since >= person.statusSince;
      if (statusMsg === undefined || !isNewer) return settle(userId, person, 'action');
      person.statusSince = since;
      settle(userId, person, 'action', { ...person.view, statusMsg: statusMsg ?? undefined });
    },
    takeChanged(limit) {
      const rows: PresenceRow[] = [];
      for (const userId of changed) {
        if (rows.length >= limit) break;
        changed.delete(userId);
        const view = people.get(userId)?.view;
        if (view === undefined) continue;
        const { state, statusMsg = null, lastActive = null } = view;
        rows.push({ user_id: userId, presence: state, status_msg: statusMsg, last_active: lastActive });
      }
      return rows;
    },
    close: dueTimes.close,
  };
}
