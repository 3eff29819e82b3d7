import { roomVersions } from '@portico/protocol';
import type { Config } from '../config/config.ts';
import { createCalls } from './calls.ts';
import { program } from './federation.ts';

/** What endpoints say of this server that follows from its configuration. */
export function aboutServer(config: Config, now: () => number) {
  return {
    program,
    // It takes the grants of OAuth 2.0.
    hasQrLogin: config.oauth.enabled,
    discovery: { publicBaseUrl: config.publicBaseUrl },
    calls: createCalls(config.calls, now),
    support: config.support,
    showsDirectory: config.federation.publicRooms,
    roomVersions: {
      defaultVersion: config.rooms.defaultVersion,
      versions: roomVersions.map(({ version }) => version),
    },
  };
}
