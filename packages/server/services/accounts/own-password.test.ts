import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createWriteSet, type Database } from '@portico/storage';
import { setPasswordHash } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { addAccount } from '@portico/storage/stores/accounts/accounts-write.ts';
import { addDevice, listDeviceIds } from '@portico/storage/stores/devices/devices.ts';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createDevices } from '../devices/devices.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { Login } from './login.ts';
import { createOwnPassword, type OwnAuthorization } from './own-password.ts';
import { createUia, type Authorization, type AuthData } from './uia.ts';

const userId = '@alice:here.example';
const person = { userId, deviceId: 'A' };
const password = 'm.login.password';

/** Somebody whose password is what is stored as its hash, and who also logs in by way of a provider. */
async function open(db: Database, passwordHash: string | undefined) {
  const set = createWriteSet();
  addAccount(set, { userId, passwordHash, isAdmin: false, userType: undefined, createdAt: 1 });
  await db.commit(set);
  const uia = createUia({ db, now: () => 1, randomBytes, secret: Buffer.from('secret') });
  let isRight = async (): Promise<void> => {};
  const login: Pick<Login, 'checkPassword' | 'findUser'> = {
    findUser: async () => userId,
    async checkPassword() {
      await isRight();
      return () => undefined;
    },
  };
  const ownPassword = createOwnPassword({
    db,
    uia,
    login: login as Login,
    loginWays: { of: async () => ({ hasPassword: true, providers: [{ id: 'there', name: 'There' }] }) },
    appDevices: { has: async () => false, confirmationUrl: () => assert.fail() },
  });
  const change = async (hash: string): Promise<void> => {
    const changed = createWriteSet();
    setPasswordHash(changed, userId, hash);
    await db.commit(changed);
  };
  async function startSession(): Promise<string> {
    const error: unknown = await ownPassword.require(person, 'do it', undefined).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof MatrixError && error.reason === 'uia.required', String(error));
    return error.fields?.['session'] as string;
  }
  async function challenge() {
    return (await ownPassword.findChallenge(`do it of ${userId}`)) ?? assert.fail();
  }
  return {
    uia,
    change,
    startSession,
    challenge,
    require: (auth: AuthData) => ownPassword.require(person, 'do it', auth),
    whenItIsRight: (act: typeof isRight) => void (isRight = act),
    async act({ useUp }: Authorization): Promise<void> {
      const acting = createWriteSet();
      useUp(acting);
      await db.commit(acting);
    },
    async logOutEverywhere({ useUp, holds }: OwnAuthorization): Promise<void> {
      const devices = createDevices({ db, onDeleted: [], now: () => 1 });
      await devices.removeAllBut(userId, [], useUp, holds);
    },
  };
}

const changed = { guard: 'password.changed' };

onBothEngines('nothing is done by a password that is changed before it is done', async (db) => {
  const { require, act, change, startSession, whenItIsRight } = await open(db, 'one');
  await act(await require({ type: password, password: 'one' }));
  const allowed = await require({ type: password, password: 'one' });
  await change('two');
  await assert.rejects(act(allowed), changed);

  whenItIsRight(() => change('three'));
  await assert.rejects(act(await require({ type: password, password: 'two' })), changed);
  whenItIsRight(async () => {});
  const session = await startSession();
  await change('four');
  await assert.rejects(require({ type: password, password: 'four', session }), { reason: 'uia.other-request' });
  await act(await require({ type: password, password: 'four' }));
});

onBothEngines('nothing is done by what was confirmed on a page before the password was changed', async (db) => {
  const { uia, require, act, change, startSession, challenge } = await open(db, 'one');
  const [byPassword, byProvider, late] = [await startSession(), await startSession(), await startSession()];
  for (const session of [byPassword, late]) {
    await uia.pass(await challenge(), session, { type: password, password: 'one' });
  }
  await uia.complete(await challenge(), byProvider, 'm.login.sso', () => undefined);
  const allowed = await require({ session: late });
  await change('two');
  for (const session of [byPassword, byProvider]) {
    await assert.rejects(require({ session }), { reason: 'uia.other-request' });
  }
  await assert.rejects(act(allowed), changed);
});

onBothEngines('none of many devices is deleted by a password that is changed before', async (db) => {
  const { require, logOutEverywhere, change } = await open(db, 'one');
  const set = createWriteSet();
  for (let count = 0; count < 60; count += 1) {
    addDevice(set, { userId, deviceId: `D${count}`, name: undefined, createdAt: 1 });
  }
  await db.commit(set);
  const allowed = await require({ type: password, password: 'one' });
  await change('two');
  await assert.rejects(logOutEverywhere(allowed), changed);
  assert.equal((await listDeviceIds(db, userId)).length, 60);
  await logOutEverywhere(await require({ type: password, password: 'two' }));
  assert.deepEqual(await listDeviceIds(db, userId), []);
});

onBothEngines('who has no password confirms what they want until there is one', async (db) => {
  const { uia, require, act, change, startSession, challenge } = await open(db, undefined);
  const [first, second] = [await startSession(), await startSession()];
  for (const session of [first, second]) {
    await uia.complete(await challenge(), session, 'm.login.sso', () => undefined);
  }
  await act(await require({ session: first }));
  const allowed = await require({ session: second });
  await change('one');
  await assert.rejects(act(allowed), changed);
});
