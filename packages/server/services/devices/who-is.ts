import type { Database } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { requireAdmin } from '../accounts/require-admin.ts';
import type { Sender } from '../accounts/sender.ts';
import type { Devices } from './devices.ts';

type Connection = { readonly ip?: string; readonly last_seen?: number };
type DeviceInfo = { readonly sessions: readonly { readonly connections: readonly Connection[] }[] };

export type WhoIsAnswer = { readonly user_id: string; readonly devices: Readonly<Record<string, DeviceInfo>> };

export interface WhoIs {
  /** When and from where a person's devices were last used: for themselves, and for administrators. */
  ask(sender: Sender, userId: string): Promise<WhoIsAnswer>;
}

export function createWhoIs({ db, devices }: { readonly db: Database; readonly devices: Devices }): WhoIs {
  return {
    async ask(sender, userId) {
      if (sender.userId !== userId) requireAdmin(sender);
      if ((await findAccount(db, userId)) === undefined) throw new MatrixError('not-found');
      const list = await devices.list(userId);
      return {
        user_id: userId,
        devices: Object.fromEntries(
          list.map(({ device_id: id, last_seen_ip: ip, last_seen_ts: seen }) => {
            const connection = { ...(ip !== undefined && { ip }), ...(seen !== undefined && { last_seen: seen }) };
            return [id, { sessions: [{ connections: [connection] }] }];
          }),
        ),
      };
    },
  };
}
