import type { PresenceState } from './view.ts';

/** What one device says of its owner. */
export type PresenceDevice = {
  asked: PresenceState;
  /** Requests to `/sync` that are open. */
  syncs: number;
  /** Until when it counts as connected while none is open. */
  connectedUntil: number;
  lastActive: number;
  /** What another process says of all its devices together; it sees itself when they are idle. */
  readonly elsewhere?: { readonly isActive: boolean } | undefined;
};

/** "The server will automatically set a user's presence to `unavailable` if their last active time was over a threshold value (e.g. 5 minutes)." */
export const idleAfter = 5 * 60_000;
/** How long after its last `/sync` a device is taken for offline. */
export const offlineAfter = 30_000;
/** A client that sets a presence without syncing says so again within this time. */
export const offlineAfterSetting = 60_000;

const ranks: Readonly<Record<PresenceState, number>> = { offline: 0, unavailable: 1, online: 2, busy: 3 };

export type Combined = {
  readonly state: PresenceState;
  readonly isActive: boolean;
  /** When time alone may change that. */
  readonly due: number | undefined;
};

/** What all devices say together, the strongest first: busy, online, unavailable, offline. Forgets those that have gone. */
export function combineDevices(devices: Map<string, PresenceDevice>, now: number): Combined {
  let state: PresenceState = 'offline';
  let lastActive = 0;
  let due = Infinity;
  let isActiveElsewhere = false;
  for (const [id, device] of devices) {
    if (device.syncs === 0 && device.connectedUntil <= now) {
      devices.delete(id);
      continue;
    }
    if (device.syncs === 0) due = Math.min(due, device.connectedUntil);
    if (!device.elsewhere) lastActive = Math.max(lastActive, device.lastActive);
    if (device.elsewhere?.isActive === true) isActiveElsewhere = true;
    const isIdle = !device.elsewhere && device.asked === 'online' && now - device.lastActive >= idleAfter;
    if (!device.elsewhere && device.asked === 'online' && !isIdle) due = Math.min(due, device.lastActive + idleAfter);
    const shown = isIdle ? 'unavailable' : device.asked;
    if (ranks[shown] > ranks[state]) state = shown;
  }
  const isActiveHere = now - lastActive < idleAfter;
  const isActive = (state === 'online' || state === 'busy') && (isActiveHere || isActiveElsewhere);
  if (state === 'busy' && isActiveHere) due = Math.min(due, lastActive + idleAfter);
  return { state, isActive, due: due === Infinity ? undefined : due };
}
