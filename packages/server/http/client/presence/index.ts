import type { Presence } from '../../../services/presence/presence.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getPresence } from './get-presence.ts';
import { setPresence } from './set-presence.ts';

/** Who is online. */
export const presenceEndpoints: readonly Endpoint<{ presence: Presence }>[] = [setPresence, getPresence];
