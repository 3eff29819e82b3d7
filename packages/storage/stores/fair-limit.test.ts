import assert from 'node:assert/strict';
import { onBothEngines } from '@portico/testkit/both-engines.ts';
import { createWriteSet, type Reader, type WriteSet } from '../index.ts';
import { ssoLogins } from './accounts/sso-logins.ts';
import { addDeviceGrant, findDeviceGrant } from './oauth/oauth-device-grants.ts';
import { oauthRequests } from './oauth/oauth-requests.ts';
import { addRendezvous, findRendezvous } from './oauth/rendezvous-sessions.ts';

type Table = {
  readonly most: number;
  add(set: WriteSet, name: string, network: string, expiresAt: number): void;
  find(reader: Reader, name: string): Promise<unknown>;
};

const step = { step: 'log-in', browser_hash: 'browser', user_id: null, details: '{}' };
const grant = { clientId: 'client', deviceId: 'DEVICE', scope: 'all', intervalMs: 5000 };

const tables: Readonly<Record<string, Table>> = {
  'logins by way of another service': {
    most: 5000,
    add: (set, name, network, expiresAt) => ssoLogins.add(set, name, { ...step, network, expires_at: expiresAt }, 0),
    find: ssoLogins.find,
  },
  'questions of OAuth 2.0': {
    most: 5000,
    add: (set, name, network, expiresAt) =>
      oauthRequests.add(set, name, { ...step, network, expires_at: expiresAt }, 0),
    find: oauthRequests.find,
  },
  'devices that wait': {
    most: 5000,
    add: (set, name, network, expiresAt) =>
      addDeviceGrant(set, { ...grant, deviceCodeHash: name, userCodeHash: name, network, expiresAt }, 0, 0),
    find: findDeviceGrant,
  },
  'places to meet': {
    most: 1000,
    add: (set, name, network, expiresAt) =>
      addRendezvous(
        set,
        name,
        { content: '', tag: '', modified_at: expiresAt, expires_at: expiresAt + 10_000 },
        network,
      ),
    find: (reader, name) => findRendezvous(reader, name, 0),
  },
};

for (const [what, { most, add, find }] of Object.entries(tables)) {
  onBothEngines(`whoever fills up ${what} pushes out their own, however old those of others are`, async (db) => {
    const set = createWriteSet();
    for (let index = 0; index < 3; index += 1) add(set, `other ${index}`, 'others', 1 + index);
    for (let index = 0; index < most + 1; index += 1) add(set, `flood ${index}`, 'flood', 1000 + index);
    add(set, 'the last', 'somebody else', 9000);
    await db.commit(set);
    const isThere = async (name: string) => (await find(db, name)) !== undefined;
    for (const name of ['other 0', 'other 2', 'the last', 'flood 5', `flood ${most}`])
      assert.ok(await isThere(name), name);
    for (const name of ['flood 0', 'flood 4']) assert.ok(!(await isThere(name)), name);
  });
}

onBothEngines('where all have as many, the oldest of all goes, whatever their networks are called', async (db) => {
  const set = createWriteSet();
  for (let index = 0; index < 1001; index += 1) {
    addRendezvous(
      set,
      `place ${index}`,
      { content: '', tag: '', modified_at: index, expires_at: 5000 + index },
      `n${999 - (index % 500)}`,
    );
  }
  await db.commit(set);
  const found = await Promise.all(
    Array.from({ length: 1001 }, (_each, index) => findRendezvous(db, `place ${index}`, 0)),
  );
  assert.deepEqual(
    found.flatMap((row, index) => (row === undefined ? [index] : [])),
    [0],
  );
});

onBothEngines(
  'of places to meet the one goes where nobody has been for longest, however long each may stay',
  async (db) => {
    const set = createWriteSet();
    const open = (name: string, modifiedAt: number, lifetime: number): void =>
      addRendezvous(
        set,
        name,
        { content: '', tag: '', modified_at: modifiedAt, expires_at: modifiedAt + lifetime },
        'one',
      );
    for (let index = 0; index < 1000; index += 1) open(`long ${index}`, 1000 + index, 600_000);
    open('short', 3000, 300_000);
    open('the last', 4000, 600_000);
    await db.commit(set);
    const names = ['long 0', 'long 1', 'long 2', 'short', 'the last'];
    const found = await Promise.all(names.map((name) => findRendezvous(db, name, 4000)));
    assert.deepEqual(
      names.filter((_name, index) => found[index] === undefined),
      ['long 0', 'long 1'],
    );
  },
);
