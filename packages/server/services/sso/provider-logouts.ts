import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import {
  addProviderLogout,
  listLoggedOut,
  type ProviderLogout,
} from '@portico/storage/stores/accounts/provider-sessions.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Logger } from '../../observability/logger.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import type { Devices } from '../devices/devices.ts';
import type { OidcClient } from './oidc-client.ts';

/** Providers that log people out here. */
export interface ProviderLogouts {
  /** Throws `sso.unknown-provider` where the provider may not, and `sso.bad-logout-token`. */
  receive(providerId: string, token: string): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly clients: readonly OidcClient[];
  readonly devices: Pick<Devices, 'remove'>;
  readonly log: Logger;
  readonly now: () => number;
};

/** Devices that are logged out with one commit. */
const perCommit = 25;

/** {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions} */
export function createProviderLogouts({ db, clients, devices, log, now }: Dependencies): ProviderLogouts {
  /** Devices of one person. */
  async function findSome(logout: ProviderLogout): Promise<{ userId: string; deviceIds: string[] } | undefined> {
    const rows = await listLoggedOut(db, logout, perCommit);
    const userId = rows[0]?.user_id;
    if (userId === undefined) return undefined;
    return { userId, deviceIds: rows.filter((row) => row.user_id === userId).map((row) => row.device_id) };
  }

  /** Whoever is half-way in gets no further once the first commit is there, which has what was received. */
  async function end(logout: ProviderLogout, note: (set: WriteSet) => void): Promise<number> {
    let ended = 0;
    for (let also: typeof note | undefined = note; ; also = undefined) {
      const some = await findSome(logout);
      if (some !== undefined) await devices.remove(some.userId, some.deviceIds, also);
      else if (also === undefined) return ended;
      else {
        const set = createWriteSet();
        also(set);
        await db.commit(set);
      }
      ended += some?.deviceIds.length ?? 0;
    }
  }

  return {
    async receive(providerId, token) {
      const client = clients.find(({ provider }) => provider.id === providerId);
      if (client?.provider.endsSessions !== true) throw new MatrixError('sso.unknown-provider');
      const { id, ...who } = await client.readLogoutToken(token);
      const logout = { provider: providerId, ...who };
      const ended = await end(logout, (set) => addProviderLogout(set, logout, hashToken(id), now()));
      log.info({ provider: providerId, ended }, 'a provider has logged somebody out');
    },
  };
}
