import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { createRoom, must } from '@portico/testkit/people.ts';
import { openRawDatabase } from '@portico/testkit/raw-database.ts';
import { registerAdmin } from '@portico/testkit/register-admin.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { serverOfSuite } from '@portico/testkit/server-of-suite.ts';
import { refusalOf, type TestClient, type TestResponse } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';

const v3 = '/_matrix/client/v3';
const encoded = encodeURIComponent;
const user = (userId: string) => `/_synapse/admin/v2/users/${encoded(userId)}`;
const reset = (userId: string) => `/_synapse/admin/v1/reset_password/${encoded(userId)}`;
const byEmail = (address: string) => `/_synapse/admin/v1/threepid/email/users/${encoded(address)}`;

for (const engine of ['sqlite', 'postgres'] as const) {
  describe(`accounts that administrators make and change (${engine})`, () => {
    const server = serverOfSuite({ engine });
    let admin: TestClient;
    before(async () => {
      admin = await registerAdmin(server, 'admin');
    });
    const logIn = (name: string, password: string): Promise<TestResponse> =>
      server.anonymous.post(`${v3}/login`, {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: name },
        password,
      });

    async function session(name: string, password: string) {
      const body = await must(logIn(name, password));
      return {
        userId: String(body['user_id']),
        accessToken: String(body['access_token']),
        deviceId: String(body['device_id']),
      };
    }

    test('are made with all that is said of them', async () => {
      const made = await admin.put(user('@nora:localhost'), {
        password: 'a good one',
        displayname: 'Nora',
        avatar_url: 'mxc://localhost/nora',
        threepids: [{ medium: 'email', address: 'Nora@Example.org' }],
        user_type: 'bot',
        locked: true,
      });
      assert.equal(made.status, 201);
      assert.partialDeepStrictEqual(made.body, {
        name: '@nora:localhost',
        displayname: 'Nora',
        avatar_url: 'mxc://localhost/nora',
        threepids: [{ medium: 'email', address: 'nora@example.org' }],
        user_type: 'bot',
        admin: false,
        locked: true,
      });
      assert.deepEqual(await must(admin.get(byEmail('NORA@example.org'))), { user_id: '@nora:localhost' });
      await must(logIn('nora', 'a good one'));
      const bare = await admin.put(user('@bare:localhost'), {});
      assert.deepEqual([bare.status, bare.body['displayname']], [201, 'bare']);
      assert.equal(refusalOf(await logIn('bare', '')), '403 M_FORBIDDEN');
    });

    test('are changed where something is different, and only there', async () => {
      const two = { password: 'p', displayname: 'owner', threepids: [email('a@b.example'), email('c@d.example')] };
      assert.equal((await admin.put(user('@owner:localhost'), two)).status, 201);
      const owner = server.as(await session('owner', 'p'));
      const roomId = await createRoom(owner);
      const described = await must(admin.get(user(owner.userId)));
      assert.deepEqual(await must(admin.put(user(owner.userId), described)), described, 'as tools send it back');
      const changed = await must(
        admin.put(user(owner.userId), { ...described, displayname: 'Polite', avatar_url: 'mxc://localhost/x' }),
      );
      assert.partialDeepStrictEqual(changed, { displayname: 'Polite', avatar_url: 'mxc://localhost/x' });
      const member = `${v3}/rooms/${encoded(roomId)}/state/m.room.member/${encoded(owner.userId)}`;
      await until(
        async () => (await must(owner.get(member)))['displayname'] === 'Polite',
        'the rooms of the person know the name',
      );
      const again = await must(
        admin.put(user(owner.userId), { displayname: '', threepids: [email('c@d.example')], locked: true }),
      );
      assert.partialDeepStrictEqual(again, { displayname: null, locked: true });
      assert.deepEqual(again['threepids'], [{ ...(again['threepids'] as object[])[0], ...email('c@d.example') }]);
      assert.equal(refusalOf(await admin.get(byEmail('a@b.example'))), '404 M_NOT_FOUND');
      await must(admin.put(user(owner.userId), { locked: false, admin: true }));
      assert.equal((await owner.get(user(owner.userId))).status, 200);
      await must(admin.put(user(owner.userId), { admin: false }));
      assert.equal((await owner.get(user(owner.userId))).status, 403);
    });

    test('get a new password, with which nobody is logged in any more', async () => {
      const gus = await server.registerUser('gus');
      await must(admin.post(reset(gus.userId), { new_password: 'second', logout_devices: true }));
      assert.equal(refusalOf(await gus.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
      const again = server.as(await session('gus', 'second'));
      for (const [path, field] of [
        [user(gus.userId), 'password'],
        [reset(gus.userId), 'new_password'],
      ] as const) {
        const quietly = { [field]: 'third', logout_devices: false };
        const answer = field === 'password' ? await admin.put(path, quietly) : await admin.post(path, quietly);
        assert.equal(refusalOf(answer), '400 M_BAD_JSON');
      }
      await must(again.get(`${v3}/account/whoami`));
      await must(admin.put(user(gus.userId), { password: 'third' }));
      assert.equal(refusalOf(await again.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
      await must(logIn('gus', 'third'));
      assert.equal(refusalOf(await admin.post(reset(gus.userId), { new_password: '' })), '400 M_WEAK_PASSWORD');
      assert.equal(refusalOf(await admin.post(reset('@nobody:localhost'), { new_password: 'x' })), '404 M_NOT_FOUND');
    });

    test('end, and are not opened again', async () => {
      const tim = await server.registerUser('tim');
      assert.partialDeepStrictEqual(await must(admin.put(user(tim.userId), { deactivated: true })), {
        deactivated: true,
      });
      assert.equal(refusalOf(await admin.put(user(tim.userId), { deactivated: false })), '403 M_USER_DEACTIVATED');
      assert.equal(refusalOf(await admin.post(reset(tim.userId), { new_password: 'x' })), '403 M_USER_DEACTIVATED');
    });

    test('are logged out on devices', async () => {
      const dora = await server.registerUser('dora');
      await must(logIn('dora', 'a password'));
      const devices = `${user(dora.userId)}/devices`;
      const ids = async () =>
        ((await must(admin.get(devices)))['devices'] as { device_id: string }[]).map((one) => one.device_id);
      assert.equal((await ids()).length, 2);
      const other = (await ids()).find((id) => id !== dora.deviceId) ?? '';
      await must(admin.delete(`${devices}/${other}`, {}));
      assert.deepEqual(await ids(), [dora.deviceId]);
      await must(admin.post(`${user(dora.userId)}/delete_devices`, { devices: [dora.deviceId, 'UNKNOWN'] }));
      assert.deepEqual(await ids(), []);
      assert.equal(refusalOf(await dora.get(`${v3}/account/whoami`)), '401 M_UNKNOWN_TOKEN');
      const missing = await admin.post(`${user('@nobody:localhost')}/delete_devices`, { devices: [] });
      assert.equal(refusalOf(missing), '404 M_NOT_FOUND');
    });

    test('of administrators are left to them', async () => {
      const made = { password: 'p', admin: true, threepids: [email('other@example.org')] };
      assert.equal((await admin.put(user('@other:localhost'), made)).status, 201);
      const other = server.as(await session('other', 'p'));
      for (const change of [{ password: 'mine now' }, { threepids: [] }, { locked: true }, { deactivated: true }]) {
        assert.equal(refusalOf(await admin.put(user(other.userId), change)), '403 M_FORBIDDEN');
      }
      assert.equal(refusalOf(await admin.post(reset(other.userId), { new_password: 'mine' })), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await admin.post(reset(admin.userId), { new_password: 'mine' })), '403 M_FORBIDDEN');
      const devices = `${user(other.userId)}/devices/${other.deviceId}`;
      assert.equal(refusalOf(await admin.delete(devices, {})), '403 M_FORBIDDEN');
      assert.equal(refusalOf(await admin.put(user(admin.userId), { admin: false })), '400 M_INVALID_PARAM');
      assert.equal((await must(admin.put(user(other.userId), { displayname: 'Second' })))['displayname'], 'Second');
      await must(other.get(`${v3}/account/whoami`));
    });

    test('are refused as a whole', async () => {
      const uma = await server.registerUser('uma');
      const wrong: [object, string][] = [
        [{ displayname: 'New', threepids: [{ medium: 'msisdn', address: '4912345' }] }, '400 M_INVALID_PARAM'],
        [{ displayname: 'New', threepids: [email('nonsense')] }, '400 M_INVALID_PARAM'],
        [{ displayname: 'New', user_type: 'support' }, '400 M_INVALID_PARAM'],
        [{ displayname: 'New', threepids: [email('mine@example.org')] }, '400 M_INVALID_PARAM'],
        [{ displayname: 'New', admin: true, locked: true }, '403 M_FORBIDDEN'],
        [{ displayname: 'n'.repeat(257) }, '400 M_INVALID_PARAM'],
        [{ displayname: 'New', password: '' }, '400 M_WEAK_PASSWORD'],
      ];
      for (const [change, expected] of wrong) {
        assert.equal(refusalOf(await admin.put(user(uma.userId), change)), expected);
        assert.equal((await must(admin.get(user(uma.userId))))['displayname'], 'uma');
      }
      for (const change of [
        { threepids: [{ medium: 'msisdn', address: '4912345' }] },
        { threepids: [email('nonsense')] },
        { displayname: 'n'.repeat(257) },
        { avatar_url: 'n'.repeat(1001) },
        { deactivated: true },
      ]) {
        assert.equal(refusalOf(await admin.put(user('@new:localhost'), change)), '400 M_INVALID_PARAM');
      }
      assert.equal(
        refusalOf(await admin.put(user('@new:localhost'), { admin: true, locked: true })),
        '403 M_FORBIDDEN',
      );
      const taken = { threepids: [email('nora@example.org')] };
      assert.equal(refusalOf(await admin.put(user('@new:localhost'), taken)), '400 M_THREEPID_IN_USE');
      assert.equal(refusalOf(await admin.get(user('@new:localhost'))), '404 M_NOT_FOUND', 'and nothing is made');
      assert.equal(refusalOf(await admin.put(user('@Capital:localhost'), {})), '400 M_INVALID_USERNAME');
      assert.equal(refusalOf(await admin.put(user('@a:elsewhere.example'), {})), '400 M_INVALID_PARAM');
      assert.equal(refusalOf(await admin.put(user('nonsense'), {})), '400 M_INVALID_PARAM');
    });

    test('stay wholly as they are where something cannot be written', async () => {
      const made = { password: 'p', displayname: 'full', threepids: [email('full@example.org')] };
      assert.equal((await admin.put(user('@full:localhost'), made)).status, 201);
      const full = server.as(await session('full', 'p'));
      const bulk = `${v3}/profile/${encoded(full.userId)}/org.example.bulk`;
      await must(full.put(bulk, { 'org.example.bulk': 'x'.repeat(65_000) }));
      const described = async () => ({ ...(await must(admin.get(user(full.userId)))), last_seen_ts: undefined });
      const before = await described();
      const more = { password: 'q', avatar_url: `mxc://${'x'.repeat(900)}`, threepids: [], locked: true };
      assert.equal(refusalOf(await admin.put(user(full.userId), more)), '400 M_PROFILE_TOO_LARGE');
      await must(full.get(`${v3}/account/whoami`));
      assert.deepEqual(await described(), before);
      await must(logIn('full', 'p'));
      const ending = { ...more, deactivated: true };
      assert.equal(refusalOf(await admin.put(user(full.userId), ending)), '400 M_PROFILE_TOO_LARGE');
      await must(full.get(`${v3}/account/whoami`));
    });

    test('have names that are free', async () => {
      const free = (name: string) => admin.get(`/_synapse/admin/v1/username_available?username=${name}`);
      assert.deepEqual(await must(free('nobody-yet')), { available: true });
      assert.equal(refusalOf(await free('admin')), '400 M_USER_IN_USE');
      assert.equal(refusalOf(await free('B%20ad')), '400 M_INVALID_USERNAME');
    });

    test('are administered by administrators', async () => {
      const eve = await server.registerUser('eve');
      for (const answer of [
        await eve.put(user(eve.userId), { admin: true }),
        await eve.put(user('@another:localhost'), {}),
        await eve.post(reset(admin.userId), { new_password: 'x' }),
        await eve.delete(`${user(admin.userId)}/devices/${admin.deviceId}`, {}),
        await eve.post(`${user(admin.userId)}/delete_devices`, { devices: [] }),
        await eve.get(byEmail('a@b.example')),
        await eve.get('/_synapse/admin/v1/username_available?username=x'),
        await eve.get(`/_synapse/admin/v1/whois/${encoded(eve.userId)}`),
      ]) {
        assert.equal(refusalOf(answer), '403 M_FORBIDDEN');
      }
      const { devices } = await must(admin.get(`/_synapse/admin/v1/whois/${encoded(eve.userId)}`));
      assert.deepEqual(Object.keys(devices as object), [eve.deviceId]);
      assert.match(
        String((await must(server.anonymous.get('/_synapse/admin/v1/server_version')))['server_version']),
        /^Portico \d/,
      );
    });
  });
}

test('an account is made with one commit, and changed with one', async (context) => {
  const server = await startTestServer({ engine: 'postgres' });
  context.after(() => server.close());
  const admin = await registerAdmin(server, 'admin');
  const database = await openRawDatabase(server.databaseUrl);
  context.after(() => database.close());
  /** In which commits something of an account was changed. */
  const commits = async (userId: string): Promise<string[]> => {
    const rows = await database.run('select entries from changes order by position');
    return rows.map((row) => String(row['entries'])).filter((entries) => entries.includes(`"${userId}"`));
  };
  const everything = { displayname: 'One', avatar_url: 'mxc://localhost/one', locked: true };
  const one = '@one:localhost';
  assert.equal((await admin.put(user(one), everything)).status, 201);
  assert.equal((await commits(one)).length, 1);
  const next = {
    displayname: 'Two',
    avatar_url: 'mxc://localhost/two',
    locked: false,
    admin: true,
    password: 'second',
  };
  await must(admin.put(user(one), next));
  assert.equal((await commits(one)).length, 2);
});

function email(address: string) {
  return { medium: 'email', address };
}
