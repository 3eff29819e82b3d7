import { createHmac, timingSafeEqual } from 'node:crypto';
import { createWriteSet, type Database } from '@portico/storage';
import { addNonce, isNonceValid, useNonce } from '@portico/storage/stores/accounts/accounts-registration.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Registered, Registration } from './registration.ts';
import type { Session, Sessions } from './sessions.ts';

export type SharedSecretRequest = {
  readonly nonce: string;
  readonly username: string;
  readonly password: string;
  readonly mac: string;
  readonly admin?: boolean;
  readonly user_type?: string | null;
  readonly displayname?: string;
  readonly inhibit_login?: boolean;
};

export interface SharedSecretRegistration {
  nonce(): Promise<string>;
  register(request: SharedSecretRequest): Promise<Registered>;
}

type Dependencies = {
  readonly db: Database;
  readonly secret: string | undefined;
  readonly serverName: string;
  readonly registration: Registration;
  readonly sessions: Sessions;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

const nonceLifetime = 60_000;

/** HMAC-SHA1 over the parts with NUL between them, as the tools that speak this protocol compute it. */
export function sharedSecretMac(secret: string, request: Omit<SharedSecretRequest, 'mac'>): string {
  const parts = [request.nonce, request.username, request.password, request.admin === true ? 'admin' : 'notadmin'];
  if (typeof request.user_type === 'string') parts.push(request.user_type);
  return createHmac('sha1', secret).update(parts.join('\0'), 'utf8').digest('hex');
}

/** Registration by whoever knows the server's shared secret: `/_synapse/admin/v1/register`, as existing tools expect it. */
export function createSharedSecretRegistration(dependencies: Dependencies): SharedSecretRegistration {
  const { db, secret, serverName, registration, sessions, now, randomBytes } = dependencies;

  function enabledSecret(): string {
    if (secret === undefined || secret === '') throw new MatrixError('registration.no-shared-secret');
    return secret;
  }

  return {
    async nonce() {
      enabledSecret();
      const nonce = Buffer.from(randomBytes(32)).toString('hex');
      const set = createWriteSet();
      addNonce(set, nonce, now() + nonceLifetime, now());
      await db.commit(set);
      return nonce;
    },

    async register(request) {
      const expected = Buffer.from(sharedSecretMac(enabledSecret(), request));
      if (!(await isNonceValid(db, request.nonce, now()))) throw new MatrixError('registration.bad-nonce');
      const given = Buffer.from(request.mac.toLowerCase());
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        throw new MatrixError('registration.bad-mac');
      }
      let session: Session | undefined;
      const userId = await registration.create(
        {
          name: request.username.toLowerCase(),
          password: request.password,
          isAdmin: request.admin === true,
          userType: request.user_type ?? undefined,
          displayName: request.displayname,
        },
        (set, userId) => {
          useNonce(set, request.nonce, now());
          if (request.inhibit_login !== true) session = sessions.plan(set, userId, {});
        },
      );
      return { user_id: userId, home_server: serverName, ...session };
    },
  };
}
