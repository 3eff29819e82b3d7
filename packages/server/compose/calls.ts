import type { Config } from '../config/config.ts';
import type { Calls } from '../http/client/calls/index.ts';
import { turnCredentials } from '../services/calls/turn-credentials.ts';

export function createCalls({ transports, turn }: Config['calls'], now: () => number): Calls {
  return {
    rtcTransports: transports,
    turnCredentials: (userId) => turn && turnCredentials(turn, userId, now()),
  };
}
