import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeConfig, makeFolder, run, start } from '@portico/testkit/program.ts';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';

test('an operator helps people who have lost their password or their address, while the server runs', async (context) => {
  const { file, port } = await makeConfig(makeFolder(context));
  const portico = (...words: string[]) => run([...words, '--config', file]);
  const says = (...words: string[]) => {
    const { status, stdout, stderr } = portico(...words);
    assert.equal(status, 0, `${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const refuses = (said: RegExp, ...words: string[]) => {
    const { status, stderr } = portico(...words);
    assert.equal(status, 1, words.join(' '));
    assert.match(stderr, said);
  };
  says('user', 'add', 'alice', '--password', 'first');
  const server = await start(context, ['serve', '--config', file]);
  says('user', 'add', 'bob', '--password', 'bob');
  const client = createTestClient(`http://127.0.0.1:${port}`);
  const logIn = (password: string, more: object = {}) => {
    const identifier = { type: 'm.id.user', user: 'alice' };
    return client.post('/_matrix/client/v3/login', { type: 'm.login.password', identifier, password, ...more });
  };
  const whoAmI = async ({ body }: Awaited<ReturnType<TestClient['post']>>) => {
    const accessToken = String(body['access_token']);
    const user = createTestClient(`http://127.0.0.1:${port}`, { userId: '', deviceId: '', accessToken });
    return (await user.get('/_matrix/client/v3/account/whoami')).status;
  };

  const phone = await logIn('first', { device_id: 'PHONE', initial_device_display_name: 'Phone' });
  assert.match(says('user', 'devices', 'alice'), /^PHONE {2}"Phone" {2}/);
  says('user', 'reset-password', '@alice:a.org', '--password', 'second', '--keep-devices');
  assert.equal(await whoAmI(phone), 200);
  assert.equal((await logIn('first')).status, 403);
  const [, made = ''] =
    /^@alice:a\.org has a new password: (\S{20})\n$/.exec(says('user', 'reset-password', 'alice')) ?? [];
  assert.equal(await whoAmI(phone), 401, 'all devices are logged out');
  const laptop = await logIn(made, { device_id: 'LAPTOP' });
  assert.equal(laptop.status, 200);

  assert.equal(
    says('user', 'email', 'add', 'alice', 'Alice@Example.org'),
    '@alice:a.org has the address alice@example.org\n',
  );
  refuses(/belongs to an account/, 'user', 'email', 'add', 'bob', 'alice@example.org');
  refuses(/is no email address/, 'user', 'email', 'add', 'bob', 'nowhere');
  const byEmail = { type: 'm.id.thirdparty', medium: 'email', address: 'alice@example.org' };
  const mailed = { type: 'm.login.password', identifier: byEmail, password: made };
  assert.equal((await client.post('/_matrix/client/v3/login', mailed)).status, 200);
  assert.match(
    says('user', 'show', 'alice'),
    /^@alice:a\.org\nmade on .*\nemail addresses: alice@example\.org\ndevices: 2\n/,
  );
  refuses(/./, 'user', 'email', 'remove', 'bob', 'alice@example.org');
  says('user', 'email', 'remove', 'alice', 'ALICE@example.org');
  assert.equal((await client.post('/_matrix/client/v3/login', mailed)).status, 403);

  assert.equal(says('user', 'logout', 'alice', 'LAPTOP'), 'Logged @alice:a.org out on 1 device\n');
  assert.equal(await whoAmI(laptop), 401);
  refuses(/@alice:a\.org has no device NOWHERE\./, 'user', 'logout', 'alice', 'NOWHERE');
  const session = await logIn(made);
  const user = createTestClient(`http://127.0.0.1:${port}`, {
    userId: '',
    deviceId: '',
    accessToken: String(session.body['access_token']),
  });
  const identifier = { type: 'm.id.user', user: 'alice' };
  const auth = { type: 'm.login.password', identifier, password: made };
  const { login_token: token } = (await user.post('/_matrix/client/v1/login/get_token', { auth })).body;
  assert.equal(typeof token, 'string');
  says('user', 'logout', 'alice');
  const late = await client.post('/_matrix/client/v3/login', { type: 'm.login.token', token });
  assert.equal(late.status, 403, 'nor is anybody half-way in');
  assert.equal(says('user', 'devices', 'alice'), '');

  says('user', 'admin', 'alice');
  assert.match(says('user', 'show', 'alice'), /^@alice:a\.org: administrator\n/);
  says('user', 'admin', 'alice', '--revoke');
  says('user', 'deactivate', 'alice');
  assert.match(says('user', 'show', 'alice'), /^@alice:a\.org: deactivated on /);
  for (const words of [['reset-password'], ['deactivate'], ['admin'], ['devices']]) {
    refuses(/deactivated/, 'user', ...words, 'alice');
  }
  refuses(/There is no such user/, 'user', 'reset-password', 'carol');
  refuses(/There is no such user/, 'user', 'show', '@alice:b.org');
  assert.equal((await logIn(made)).status, 403);
  assert.equal(await server.stop(), 0);
  assert.match(says('user', 'show', 'bob'), /^@bob:a\.org\n/, 'also while none runs');
});
