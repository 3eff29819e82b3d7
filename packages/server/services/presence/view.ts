/** {@link https://spec.matrix.org/v1.19/client-server-api/#presence}; `busy` is MSC3026's. */
export type PresenceState = 'online' | 'unavailable' | 'offline' | 'busy';

/** What may be shown of somebody. */
export type PresenceView = {
  readonly state: PresenceState;
  readonly statusMsg: string | undefined;
  /** When they were last active, in milliseconds. */
  readonly lastActive: number | undefined;
  readonly isActive: boolean;
};

/** What those see who may see nothing any more: no status, no activity. */
export const nothingToSee: PresenceView = {
  state: 'offline',
  statusMsg: undefined,
  lastActive: undefined,
  isActive: false,
};

/** The same for views that look the same: nobody is told that somebody was active once more. '' for offline. */
export function lookOf(view: PresenceView | undefined): string {
  if (view === undefined || view.state === 'offline') return '';
  return `${view.state} ${view.isActive} ${view.statusMsg ?? ''}`;
}

export type PresenceContent = {
  readonly presence: string;
  readonly status_msg?: string;
  readonly last_active_ago?: number;
  readonly currently_active?: boolean;
};

/** Longer than anybody reads at a glance; a status travels to everybody who may see it. */
export const maxStatusLength = 1024;

const unstableBusy = 'org.matrix.msc3026.busy';
const names: ReadonlyMap<unknown, PresenceState> = new Map([
  ['online', 'online'],
  ['unavailable', 'unavailable'],
  ['offline', 'offline'],
  ['busy', 'busy'],
  [unstableBusy, 'busy'],
]);

export function parsePresenceState(value: unknown): PresenceState | undefined {
  return names.get(value);
}

export function presenceContent(view: PresenceView, now: number): PresenceContent {
  return {
    presence: view.state === 'busy' ? unstableBusy : view.state,
    ...(view.statusMsg !== undefined && { status_msg: view.statusMsg }),
    ...(view.lastActive !== undefined && { last_active_ago: Math.max(0, now - view.lastActive) }),
    ...(view.state !== 'offline' && { currently_active: view.isActive }),
  };
}

/** The `m.presence` event of `/sync`. */
export function presenceEvent(userId: string, view: PresenceView, now: number): string {
  const content = JSON.stringify(presenceContent(view, now));
  return `{"content":${content},"sender":${JSON.stringify(userId)},"type":"m.presence"}`;
}
