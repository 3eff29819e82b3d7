import { isForAdministering } from '@portico/protocol/oauth/scope.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findModerated } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { findDevice } from '@portico/storage/stores/devices/devices.ts';
import { touchOAuthClient } from '@portico/storage/stores/oauth/oauth-clients.ts';
import { addOAuthCode } from '@portico/storage/stores/oauth/oauth-codes.ts';
import { findDeviceGrant, settleDeviceGrant } from '@portico/storage/stores/oauth/oauth-device-grants.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken, newAccessToken } from '../accounts/access-tokens.ts';
import { writeCameWith } from '../accounts/redeem-login-token.ts';
import { requireOpenAccount } from '../sso/standing.ts';
import type { OAuthClients } from './clients.ts';
import type { Asked } from './requests.ts';
import type { OAuthStep, Power } from './steps.ts';
import { answerAddress, showClient, targetOf, type Way } from './wish.ts';

type Question = Extract<Asked, { step: 'consent' }>;
type Redirect = Extract<Way, { kind: 'redirect' }>;

/** Whether a client gets in, asked of somebody who has shown who they are. */
export interface Consents {
  show(question: Question): Promise<OAuthStep>;
  /** What uses the question up is committed with what follows. Throws `user.deactivated` and `user.locked`. */
  answer(question: Question, useUp: (set: WriteSet) => void, isLetIn: boolean): Promise<OAuthStep>;
}

type Dependencies = {
  readonly db: Database;
  readonly clients: OAuthClients;
  readonly issuer: string;
  readonly now: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
};

/** "A maximum authorization code lifetime of 10 minutes is RECOMMENDED": clients use theirs at once. */
const codeLifetime = 60_000;

export function createConsents({ db, clients, issuer, now, randomBytes }: Dependencies): Consents {
  async function waitingSince(way: Way): Promise<{ userCode: string; since: number } | undefined> {
    if (way.kind !== 'device') return undefined;
    const grant = await findDeviceGrant(db, way.deviceCodeHash);
    if (grant?.state !== 'pending' || grant.expires_at <= now()) throw new MatrixError('oauth.over');
    return { userCode: way.userCode, since: Math.max(0, now() - grant.started_at) };
  }

  function giveCode(set: WriteSet, { userId, wish, cameWith }: Question, way: Redirect): string {
    const code = newAccessToken(randomBytes);
    const row = {
      client_id: wish.clientId,
      user_id: userId,
      device_id: wish.deviceId,
      scope: wish.scope,
      redirect_uri: way.redirectUri,
      code_challenge: way.codeChallenge,
      came_with: writeCameWith(cameWith),
      expires_at: now() + codeLifetime,
    };
    addOAuthCode(set, hashToken(code), row, now());
    touchOAuthClient(set, wish.clientId, now());
    return answerAddress(way, { code, state: way.state, iss: issuer });
  }

  function refuse({ state, ...way }: Redirect, mayLetIn: boolean): string {
    const why = mayLetIn
      ? 'The person did not let the app in.'
      : 'The app asks to administer the server, and the person is no administrator.';
    return answerAddress(way, { error: 'access_denied', error_description: why, state, iss: issuer });
  }

  /** What is for administrators, only they can let an app do. */
  async function findPower({ userId, wish: { scope } }: Question): Promise<Power> {
    const isAdmin = (await findModerated(db, userId))?.is_admin === 1;
    if (!isForAdministering(scope)) return isAdmin ? 'withheld' : 'none';
    return isAdmin ? 'asked' : 'refused';
  }

  async function getClient(clientId: string) {
    const client = await clients.find(clientId);
    if (client === undefined) throw new MatrixError('oauth.unknown-client');
    return showClient(client);
  }

  return {
    async show(question) {
      const { userId, wish } = question;
      const { clientId, deviceId, way } = wish;
      const [client, power, device, waiting] = await Promise.all([
        getClient(clientId),
        findPower(question),
        findDevice(db, userId, deviceId),
        waitingSince(way),
      ]);
      return {
        kind: 'consent',
        client,
        userId,
        deviceId,
        power,
        ...(device !== undefined && { takesOver: device.display_name ?? deviceId }),
        ...(way.kind === 'redirect' && { target: targetOf(way.redirectUri) }),
        ...(waiting !== undefined && { waiting }),
      };
    },
    async answer(question, useUp, saysYes) {
      const { userId, wish } = question;
      const { way } = wish;
      const client = await getClient(wish.clientId);
      const mayLetIn = (await findPower(question)) !== 'refused';
      const isLetIn = saysYes && mayLetIn;
      if (isLetIn) await requireOpenAccount(db, userId);
      const set = createWriteSet();
      useUp(set);
      if (way.kind === 'redirect') {
        const to = isLetIn ? giveCode(set, question, way) : refuse(way, mayLetIn);
        await db.commit(set);
        return { kind: 'leave', to };
      }
      const cameWith = writeCameWith(question.cameWith);
      const said = { state: isLetIn ? 'approved' : 'denied', userId, cameWith } as const;
      settleDeviceGrant(set, way.deviceCodeHash, said, now());
      await db.commit(set);
      return { kind: 'settled', isLetIn, client };
    },
  };
}
