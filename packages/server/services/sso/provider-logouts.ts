import { isDeepStrictEqual } from 'node:util';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import {
  addProviderLogout,
  findProviderLogout,
  listLoggedOut,
  type LoggedOutRow,
  type ProviderLogout,
  type ReceivedLogout,
} from '@portico/storage/stores/accounts/provider-sessions.ts';
import { removeTokens } from '@portico/storage/stores/devices/devices.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Logger } from '../../observability/logger.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import { endSessionsJob } from './end-sessions-job.ts';
import type { OidcClient } from './oidc-client.ts';

/** Providers that log people out here. */
export interface ProviderLogouts {
  /**
   * From then on nobody's tokens are good any more; a job deletes the devices. The same token once more has it begin anew, and is
   * about nothing that began since.
   *
   * Throws `sso.unknown-provider` where the provider may not, and `sso.bad-logout-token`.
   */
  receive(providerId: string, token: string): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly clients: readonly OidcClient[];
  readonly log: Logger;
  readonly now: () => number;
};

type Noted = { readonly received: ReceivedLogout; readonly ended: readonly LoggedOutRow[] };

/** Devices whose tokens end at once: more than one person has. */
const atOnce = 2000;

/** {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCActions} */
export function createProviderLogouts({ db, clients, log, now }: Dependencies): ProviderLogouts {
  const find = ({ logout, receivedAt }: ReceivedLogout) => listLoggedOut(db, logout, receivedAt, atOnce);

  function planEnd(set: WriteSet, received: ReceivedLogout, tokenHash: string, rows: readonly LoggedOutRow[]): void {
    const people = Map.groupBy(rows, ({ user_id: userId }) => userId);
    for (const [userId, theirs] of people) {
      const ids = theirs.map(({ device_id: deviceId }) => deviceId);
      removeTokens(set, userId, ids);
    }
    // One of them is enough: it is about all of them.
    for (const userId of people.keys().take(1)) {
      const kind = `${endSessionsJob} ${received.logout.provider} ${tokenHash}`;
      startAccountJob(set, userId, kind, now(), JSON.stringify(received));
    }
  }

  /** Whoever is half-way in gets no further once this is there. */
  async function note(logout: ProviderLogout, tokenHash: string): Promise<Noted> {
    const earlier = await findProviderLogout(db, logout.provider, tokenHash);
    if (earlier !== undefined) {
      if (!isDeepStrictEqual(earlier.logout, logout)) throw new MatrixError('sso.bad-logout-token');
      return { received: earlier, ended: [] };
    }
    const received = { logout, receivedAt: now() };
    const ended = await find(received);
    const set = createWriteSet();
    addProviderLogout(set, logout, tokenHash, received.receivedAt);
    planEnd(set, received, tokenHash, ended);
    try {
      await db.commit(set);
    } catch (error) {
      if (!isGuardFailure(error, 'sso.bad-logout-token')) throw error;
      return note(logout, tokenHash);
    }
    return { received, ended };
  }

  /** Those who came in while it was noted; or, of one that came before, those who are still there. */
  async function endOthers({ received, ended }: Noted, tokenHash: string): Promise<number> {
    const known = new Set(ended.map(keyOf));
    const others = (await find(received)).filter((row) => !known.has(keyOf(row)));
    if (others.length === 0) return 0;
    const set = createWriteSet();
    planEnd(set, received, tokenHash, others);
    await db.commit(set);
    return others.length;
  }

  return {
    async receive(providerId, token) {
      const client = clients.find(({ provider }) => provider.id === providerId);
      if (client?.provider.endsSessions !== true) throw new MatrixError('sso.unknown-provider');
      const { id, ...who } = await client.readLogoutToken(token);
      const tokenHash = hashToken(id);
      const noted = await note({ provider: providerId, ...who }, tokenHash);
      const ended = noted.ended.length + (await endOthers(noted, tokenHash));
      log.info({ provider: providerId, ended }, 'a provider has logged somebody out');
    },
  };
}

function keyOf({ user_id: userId, device_id: deviceId }: LoggedOutRow): string {
  return `${userId} ${deviceId}`;
}
