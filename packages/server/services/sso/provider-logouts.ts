import { isDeepStrictEqual } from 'node:util';
import { createWriteSet, type Database } from '@portico/storage';
import {
  addProviderLogout,
  findProviderLogout,
  listLoggedOut,
  listProviderLogouts,
  type ProviderLogout,
  type ReceivedLogout,
} from '@portico/storage/stores/accounts/provider-sessions.ts';
import { removeTokens } from '@portico/storage/stores/devices/devices.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Logger } from '../../observability/logger.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import type { Devices } from '../devices/devices.ts';
import type { OidcClient } from './oidc-client.ts';

/** Providers that log people out here. */
export interface ProviderLogouts {
  /**
   * Nobody's tokens are good any more once that is noted; the devices go after it, a few with each commit. The same token
   * once more goes on with that, and is about nothing that began since.
   *
   * Throws `sso.unknown-provider` where the provider may not, and `sso.bad-logout-token`.
   */
  receive(providerId: string, token: string): Promise<void>;
  /** Goes on with what a process that has ended did not get to the end of. */
  resume(): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly clients: readonly OidcClient[];
  readonly devices: Pick<Devices, 'remove'>;
  readonly log: Logger;
  readonly now: () => number;
};

/** Devices that are deleted with one commit. */
const perCommit = 25;
/** Devices whose tokens end with the first one: more than one person has. */
const atOnce = 2000;

/** {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions} */
export function createProviderLogouts({ db, clients, devices, log, now }: Dependencies): ProviderLogouts {
  /** By person. */
  async function find({ logout, receivedAt }: ReceivedLogout, most: number): Promise<ReadonlyMap<string, string[]>> {
    const found = new Map<string, string[]>();
    for (const row of await listLoggedOut(db, logout, receivedAt, most)) {
      const deviceIds = found.get(row.user_id) ?? [];
      found.set(row.user_id, [...deviceIds, row.device_id]);
    }
    return found;
  }

  /** Whoever is half-way in gets no further once this is there. */
  async function note(logout: ProviderLogout, tokenHash: string): Promise<ReceivedLogout> {
    const earlier = await findProviderLogout(db, logout.provider, tokenHash);
    if (earlier !== undefined) {
      if (!isDeepStrictEqual(earlier.logout, logout)) throw new MatrixError('sso.bad-logout-token');
      return earlier;
    }
    const received = { logout, receivedAt: now() };
    const set = createWriteSet();
    addProviderLogout(set, logout, tokenHash, received.receivedAt);
    for (const [userId, deviceIds] of await find(received, atOnce)) removeTokens(set, userId, deviceIds);
    try {
      await db.commit(set);
    } catch (error) {
      if (!isGuardFailure(error, 'sso.bad-logout-token')) throw error;
      return note(logout, tokenHash);
    }
    return received;
  }

  async function end(received: ReceivedLogout): Promise<number> {
    let ended = 0;
    for (;;) {
      const some = await find(received, perCommit);
      if (some.size === 0) return ended;
      for (const [userId, deviceIds] of some) {
        await devices.remove(userId, deviceIds);
        ended += deviceIds.length;
      }
    }
  }

  return {
    async receive(providerId, token) {
      const client = clients.find(({ provider }) => provider.id === providerId);
      if (client?.provider.endsSessions !== true) throw new MatrixError('sso.unknown-provider');
      const { id, ...who } = await client.readLogoutToken(token);
      const ended = await end(await note({ provider: providerId, ...who }, hashToken(id)));
      log.info({ provider: providerId, ended }, 'a provider has logged somebody out');
    },
    async resume() {
      for (const received of await listProviderLogouts(db, now())) await end(received);
    },
  };
}
