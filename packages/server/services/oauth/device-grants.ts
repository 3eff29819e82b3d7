import { parseScope } from '@portico/protocol/oauth/scope.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { touchOAuthClient } from '@portico/storage/stores/oauth/oauth-clients.ts';
import {
  addDeviceGrant,
  findDeviceGrant,
  findDeviceGrantByUserCode,
  type NewDeviceGrant,
  noteDevicePoll,
  type OAuthDeviceGrantRow,
  useDeviceGrant,
} from '@portico/storage/stores/oauth/oauth-device-grants.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from '../accounts/access-tokens.ts';
import { newDeviceId } from '../accounts/sessions.ts';
import { isGuardFailure } from '../accounts/guards.ts';
import { readCameWith } from '../accounts/redeem-login-token.ts';
import { requireOpenAccount } from '../sso/standing.ts';
import { deviceOf } from './authorization-request.ts';
import type { OAuthClient, OAuthClients } from './clients.ts';
import { withoutAccount } from './code-grant.ts';
import type { OpenSession, TokenAnswer } from './open-session.ts';
import { type Parameters, requireParameter } from './parameters.ts';
import type { UserCodes } from './user-codes.ts';
import type { Wish } from './wish.ts';

/** {@link https://www.rfc-editor.org/rfc/rfc8628#section-3.2} */
export type DeviceAnswer = {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
};

/**
 * Lets a client in that has no browser, by way of somebody who has one.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#device-authorisation-flow}
 */
export interface DeviceGrants {
  /** `network`: where the client is, as `networkKey` has it. */
  start(parameters: Parameters, network: string): Promise<DeviceAnswer>;
  /** What the client wants whose device shows this code. Throws `oauth.wrong-user-code`. */
  findWish(userCode: string): Promise<Wish>;
  /** The client asks whether it may come in. */
  redeem(parameters: Parameters): Promise<TokenAnswer>;
}

export const deviceGrantType = 'urn:ietf:params:oauth:grant-type:device_code';

type Dependencies = {
  readonly db: Database;
  readonly clients: OAuthClients;
  readonly openSession: OpenSession;
  readonly userCodes: UserCodes;
  /** Where people type in codes. */
  readonly verificationUri: string;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

const lifetime = 15 * 60_000;
/** How long a client is told that its code is over, and not that there never was one. */
const keptExpired = 15 * 60_000;
const interval = 5000;
const longestInterval = 60_000;
/** What a client that waits as long as it should may come too early by, on its way here. */
const tolerance = 1000;
/** Two codes are the same once in billions. */
const maxTries = 3;

export function createDeviceGrants(dependencies: Dependencies): DeviceGrants {
  const { db, clients, openSession, userCodes, verificationUri, now, randomBytes } = dependencies;

  async function add(grant: Omit<NewDeviceGrant, 'userCodeHash'>): Promise<string> {
    for (let tries = 1; ; tries += 1) {
      const userCode = userCodes.make();
      const set = createWriteSet();
      touchOAuthClient(set, grant.clientId, now());
      addDeviceGrant(set, { ...grant, userCodeHash: userCodes.hash(userCode) ?? '' }, now(), now() - keptExpired);
      try {
        await db.commit(set);
        return userCode;
      } catch (error) {
        if (!isGuardFailure(error, 'oauth.user-code-taken') || tries === maxTries) throw error;
      }
    }
  }

  /**
   * > slow_down: A variant of "authorization_pending", the authorization request is still pending and polling should continue, but
   * > the interval MUST be increased by 5 seconds for this and all subsequent requests.
   */
  async function putOff(grant: OAuthDeviceGrantRow): Promise<never> {
    const isEarly = grant.polled_at !== null && now() - grant.polled_at < grant.interval_ms - tolerance;
    const next = isEarly ? Math.min(grant.interval_ms + interval, longestInterval) : grant.interval_ms;
    const set = createWriteSet();
    noteDevicePoll(set, grant.device_code_hash, now(), next);
    await db.commit(set);
    throw new MatrixError(isEarly ? 'oauth.slow-down' : 'oauth.authorization-pending');
  }

  async function letIn(client: OAuthClient, grant: OAuthDeviceGrantRow, userId: string): Promise<TokenAnswer> {
    const { device_code_hash: hash, device_id: deviceId, scope } = grant;
    try {
      await requireOpenAccount(db, userId);
      const set = createWriteSet();
      useDeviceGrant(set, hash, now());
      const cameWith = readCameWith(grant.came_with);
      const answer = await openSession(set, { client, userId, deviceId, scope, grantHash: hash, cameWith });
      await db.commit(set);
      return answer;
    } catch (error) {
      throw withoutAccount(error);
    }
  }

  return {
    async start(parameters, network) {
      const client = await clients.require(parameters.get('client_id'), deviceGrantType);
      const scope = parseScope(requireParameter(parameters, 'scope'));
      if (scope.kind === 'refused') throw new MatrixError('oauth.invalid-scope');
      const deviceCode = newAccessToken(randomBytes);
      const userCode = await add({
        deviceCodeHash: hashToken(deviceCode),
        clientId: client.id,
        network,
        ...deviceOf(scope, () => newDeviceId(randomBytes)),
        intervalMs: interval,
        expiresAt: now() + lifetime,
      });
      return {
        device_code: deviceCode,
        user_code: userCode,
        verification_uri: verificationUri,
        verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
        expires_in: lifetime / 1000,
        interval: interval / 1000,
      };
    },
    async findWish(userCode) {
      const hash = userCodes.hash(userCode);
      const grant = hash === undefined ? undefined : await findDeviceGrantByUserCode(db, hash);
      if (grant?.state !== 'pending' || grant.expires_at <= now()) throw new MatrixError('oauth.wrong-user-code');
      const { client_id: clientId, device_id: deviceId, device_code_hash: deviceCodeHash, scope } = grant;
      return { clientId, deviceId, scope, way: { kind: 'device', deviceCodeHash, userCode: userCodes.show(userCode) } };
    },
    async redeem(parameters) {
      const client = await clients.require(parameters.get('client_id'), deviceGrantType);
      const grant = await findDeviceGrant(db, hashToken(requireParameter(parameters, 'device_code')));
      if (grant === undefined || grant.client_id !== client.id) throw new MatrixError('oauth.invalid-grant');
      if (grant.expires_at <= now()) throw new MatrixError('oauth.expired-token');
      if (grant.state === 'denied') throw new MatrixError('oauth.access-denied');
      return grant.user_id === null ? putOff(grant) : letIn(client, grant, grant.user_id);
    },
  };
}
