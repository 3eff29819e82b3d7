import type { Database } from '@portico/storage';
import { findMasked } from '@portico/storage/stores/app-services/app-services-users.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import type { Sender } from '../accounts/sender.ts';
import { standingOf } from '../accounts/standing.ts';
import { createSmallCache } from '../reading/small-cache.ts';
import type { AppService } from './app-service.ts';

/** As whom, and on which device, an application service wants to act. */
export type Mask = { readonly userId: string | undefined; readonly deviceId: string | undefined };

export interface Masquerade {
  /** The sender of a request that is made with the token of an application service. */
  act(service: AppService, token: string, mask: Mask): Sender | Promise<Sender>;
  close(): void;
}

/** Users whose senders are remembered. */
const maxUsers = 10_000;

/** {@link https://spec.matrix.org/v1.19/application-service-api/#identity-assertion} */
export function createMasquerade(db: Database): Masquerade {
  const known = createSmallCache<string, Map<string, Sender>>(maxUsers);
  // What was read before a change of anybody's account is not remembered after it.
  let changes = 0;
  const stop = db.onChanges((batches) => {
    for (const { changes: inBatch } of batches) {
      for (const { kind, key } of inBatch) {
        if (kind !== 'access_tokens' && kind !== 'devices') continue;
        changes += 1;
        known.delete(String(key));
      }
    }
  });

  async function load(service: AppService, tokenHash: string, userId: string, deviceId: string): Promise<Sender> {
    const before = changes;
    const row = await findMasked(db, userId, deviceId);
    if (row === undefined) {
      throw new MatrixError('forbidden', { message: 'Application service has not registered this user.' });
    }
    if (row.deactivated_at !== null) throw new MatrixError('user.deactivated');
    if (deviceId !== '' && row.device_id === null) throw new MatrixError('device.unknown');
    const isLimited = service.isRateLimited && userId !== service.sender;
    const sender: Sender = {
      userId,
      deviceId,
      isAdmin: row.is_admin === 1,
      ...standingOf(row),
      tokenHash,
      appService: { id: service.id, isRateLimited: isLimited },
    };
    if (changes === before) {
      const senders = known.get(userId) ?? new Map<string, Sender>();
      senders.set(nameOf(service, deviceId), sender);
      known.set(userId, senders);
    }
    return sender;
  }

  return {
    act(service, token, { userId = service.sender, deviceId = '' }) {
      if (!service.matchesUser(userId)) {
        throw new MatrixError('forbidden', { message: 'Application service cannot masquerade as this user.' });
      }
      return known.get(userId)?.get(nameOf(service, deviceId)) ?? load(service, hashToken(token), userId, deviceId);
    },
    close: stop,
  };
}

function nameOf({ id }: AppService, deviceId: string): string {
  return JSON.stringify([id, deviceId]);
}
