import type { Endpoint } from '../../endpoint.ts';
import { getRtcTransports } from './get-rtc-transports.ts';
import { type Calls, getTurnServer } from './get-turn-server.ts';

export type { Calls };

/** How calls find their way through the network. */
export const callEndpoints: readonly Endpoint<{ calls: Calls }>[] = [getTurnServer, getRtcTransports];
