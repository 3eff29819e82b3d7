import type { OldSync } from '../../../services/old-sync/old-sync.ts';
import type { Presence } from '../../../services/presence/presence.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getEventOfAnyRoom, peekEvents } from './get-events.ts';
import { getInitialSync, getRoomInitialSync } from './get-initial-sync.ts';

/** What came before `/sync`. */
export const oldSyncEndpoints: readonly Endpoint<{ oldSync: OldSync; presence: Presence }>[] = [
  getInitialSync,
  getRoomInitialSync,
  peekEvents,
  getEventOfAnyRoom,
];
