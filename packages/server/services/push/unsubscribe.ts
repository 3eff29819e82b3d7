import { createHmac, timingSafeEqual } from 'node:crypto';
import { parseJson } from '@portico/protocol';
import { emailAppId } from '@portico/protocol/push/pusher.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { removePusher } from '@portico/storage/stores/push/pushers.ts';

/** Lets people say, from an email that they got, that they want no more of them. Nothing else can be done by its links. */
export interface Unsubscribe {
  link(userId: string, address: string): string;
  /** The address that a link is about; `undefined` for a link that this server has not made. */
  addressOf(token: string): string | undefined;
  /** Ends what a link is about. */
  end(token: string): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  /** Known to this server alone, and the same for all its processes. */
  readonly secret: Uint8Array;
  readonly publicBaseUrl: string;
};

export const unsubscribePath = '/_portico/client/v1/email/unsubscribe';

export function createUnsubscribe({ db, secret, publicBaseUrl }: Dependencies): Unsubscribe {
  const sign = (payload: string): Buffer => createHmac('sha256', secret).update(payload).digest();

  function read(token: string): readonly [userId: string, address: string] | undefined {
    const [payload = '', mac = ''] = token.split('.');
    const [expected, given] = [sign(payload), Buffer.from(mac, 'base64url')];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
    const parts = parseJson(Buffer.from(payload, 'base64url').toString('utf8'));
    const [userId, address] = Array.isArray(parts) ? parts : [];
    return typeof userId === 'string' && typeof address === 'string' ? [userId, address] : undefined;
  }

  return {
    link(userId, address) {
      const payload = Buffer.from(JSON.stringify([userId, address])).toString('base64url');
      return `${publicBaseUrl}${unsubscribePath}?token=${payload}.${sign(payload).toString('base64url')}`;
    },
    addressOf: (token) => read(token)?.[1],
    async end(token) {
      const about = read(token);
      if (about === undefined) return;
      const [userId, address] = about;
      const set = createWriteSet();
      removePusher(set, { userId, appId: emailAppId, pushkey: address });
      await db.commit(set);
    },
  };
}
