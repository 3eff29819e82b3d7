import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { suite, test } from 'node:test';
import { serverUser } from '@portico/testkit/postgres-binaries.ts';
import { end, isUp, makeConfig, makeFolder, run, start } from '@portico/testkit/program.ts';
import { freePort, program } from '@portico/testkit/server-process.ts';
import { until } from '@portico/testkit/until.ts';

suite('the exit code is', () => {
  test('2 for wrong usage, with the nearest known name', () => {
    for (const [words, message] of [
      [[], /Commands:/],
      [['srve'], /"srve" is not a command; the nearest one is serve/],
      [['serve', '--confg', 'x'], /--confg is not an option; the nearest one is --config/],
      [['serve', 'now'], /"now" is one argument too many/],
      [['serve', '--config'], /--config needs a value/],
      [['init'], /FILE is missing/],
      [['user', 'add'], /NAME is missing/],
      [['user'], /user add NAME/],
      [['user', 'add', 'a', '--admin=yes'], /--admin takes no value/],
    ] as const) {
      const { status, stderr } = run(words);
      assert.equal(status, 2, words.join(' '));
      assert.match(stderr, message);
    }
  });

  test('0 for help, of each command, which names what it takes', () => {
    assert.match(run(['--help']).stdout, /check-config[\s\S]*Exit codes: 0 fine/);
    const account = ['user add', 'user reset-password', 'user email add', 'token add', 'token list', 'token revoke'];
    for (const command of ['serve', 'init', 'check-config', 'backup', 'restore', ...account]) {
      const { status, stdout } = run([...command.split(' '), '--help']);
      assert.equal(status, 0, command);
      assert.match(stdout, new RegExp(`^Usage: portico ${command}`));
    }
    assert.match(run(['serve', '--help']).stdout, /--registration-mode VALUE/);
  });

  test('78 for serving with a wrong configuration, which is all said on standard error', (context) => {
    const file = join(makeFolder(context), 'portico.yaml');
    writeFileSync(file, 'server_name: a.org\nregistraton:\n  mode: open\nlog: { level: loud }\n');
    const { status, stdout, stderr } = run(['serve', '--config', file]);
    assert.equal(status, 78);
    assert.equal(stdout, '');
    assert.match(stderr, /portico\.yaml:2: registraton is not a setting; the nearest one is registration/);
    assert.match(stderr, /portico\.yaml:4: log\.level is "loud"/);
  });

  test('0 or 1 for checking a configuration', async (context) => {
    const folder = makeFolder(context);
    const { file } = await makeConfig(folder, 'url_previews: { enabled: true }\n');
    const fine = run(['check-config', '--config', file]);
    assert.equal(fine.status, 0, fine.stderr);
    assert.match(fine.stdout, /^The configuration is fine/);
    const wrong = run(['check-config', '--config', file], { env: { PORTICO_DURABILITY: 'none' } });
    assert.equal(wrong.status, 1);
    assert.match(wrong.stdout, /^PORTICO_DURABILITY: durability is "none"/);
    assert.equal(run(['check-config', '--config', join(folder, 'missing.yaml')]).status, 1);
  });
});

test('init writes a commented file and a signing key, and never overwrites', (context) => {
  const folder = makeFolder(context);
  const first = run(['init', '--server-name', 'a.org', 'portico.yaml'], { cwd: folder });
  assert.equal(first.status, 0, first.stderr);
  const file = join(folder, 'portico.yaml');
  const key = join(folder, 'data/signing.key');
  const before = [readFileSync(file, 'utf8'), readFileSync(key, 'utf8')];
  assert.match(before[0] ?? '', /^server_name: a\.org$/m);
  assert.equal(statSync(key).mode & 0o777, 0o600);
  assert.equal(run(['check-config', '--config', file]).status, 0);

  const second = run(['init', '--server-name', 'b.org', 'portico.yaml'], { cwd: folder });
  assert.equal(second.status, 1);
  assert.match(second.stderr, /exists already/);
  assert.equal(run(['init', 'other.yaml'], { cwd: folder }).status, 0);
  assert.deepEqual([readFileSync(file, 'utf8'), readFileSync(key, 'utf8')], before);
  assert.equal(run(['init', '--server-name', 'no name', 'new.yaml'], { cwd: folder }).status, 78);
});

test('the first start in an empty folder makes data and says how to go on; SIGTERM ends it with 0', async (context) => {
  const cwd = makeFolder(context);
  mkdirSync(join(cwd, 'data'), { mode: 0o755 });
  const port = await freePort();
  const listeners = `[{"address":"127.0.0.1","port":${port},"serve":["client","web"]}]`;
  const { server, lines, stop } = await start(context, ['serve'], { cwd, env: { PORTICO_LISTENERS: listeners } });
  assert.ok(await isUp(port));
  const banner = lines.join('\n');
  assert.match(banner, new RegExp(`http://localhost:${port}`));
  assert.match(banner, /bin\/portico user add NAME --admin/);
  assert.ok(banner.includes(`Account pages are at http://localhost:${port}/account`), banner);
  assert.equal((await fetch(`http://localhost:${port}/account`)).status, 200);
  for (const name of ['signing.key', 'portico.db', 'portico.db-wal', 'server_name']) {
    assert.equal(statSync(join(cwd, 'data', name)).mode & 0o077, 0, `${name} is its owner's alone`);
  }
  const arguments_ = readFileSync(`/proc/${server.pid}/cmdline`, 'utf8');
  assert.match(arguments_, /main\.ts\0serve/, 'the pid is that of the server, not of a shell');
  assert.equal(await stop(), 0);
});

test('a service manager is told when it is ready, and SIGHUP does not end it', async (context) => {
  const folder = makeFolder(context);
  const { file } = await makeConfig(folder);
  const heard = join(folder, 'heard');
  writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$@" > ${heard}\n`, { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env['PATH'] ?? ''}`, NOTIFY_SOCKET: '/run/systemd/notify' };
  const { server, stop } = await start(context, ['serve', '--config', file, '--data-dir', join(folder, 'data')], {
    env,
  });
  assert.equal(
    await until(() => (existsSync(heard) ? readFileSync(heard, 'utf8') : '') || undefined, 'systemd is told'),
    '--ready\n',
  );
  server.kill('SIGHUP');
  assert.equal(await stop(), 0);
});

test('npm start hands a signal on, and leaves no server behind', async (context) => {
  const { file, port } = await makeConfig(makeFolder(context));
  const cwd = join(import.meta.dirname, '../../..');
  const { stop } = await start(context, ['start', '--', '--config', file], { file: 'npm', cwd });
  assert.ok(await isUp(port));
  await stop();
  await assert.rejects(isUp(port));
});

test('a second server on a data folder exits 78; a killed one and a copy are no hindrance', async (context) => {
  const folder = makeFolder(context);
  const { file, port } = await makeConfig(folder);
  const first = await start(context, ['serve', '--config', file]);
  const second = run(['serve', '--config', file]);
  assert.equal(second.status, 78);
  assert.match(second.stderr, /data_dir is .*, which another running Portico uses/);

  assert.equal(await end(first.server, 'SIGKILL', first.ended), null);
  const copy = join(folder, 'copy');
  cpSync(join(folder, 'data'), copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
  const again = await start(context, ['serve', '--config', file]);
  assert.ok(await isUp(port));
  const { file: copied } = await makeConfig(makeFolder(context), `data_dir: ${copy}\n`);
  const other = await start(context, ['serve', '--config', copied]);
  assert.equal(await other.stop(), 0);
  assert.equal(await again.stop(), 0);

  const renamed = run(['serve', '--config', file, '--server-name', 'b.org']);
  assert.equal(renamed.status, 78);
  assert.match(renamed.stderr, /server_name is b\.org, but the data folder .* belongs to a\.org/);
});

test('a database that cannot be opened exits 78, and is named without its password', async (context) => {
  const folder = makeFolder(context);
  const { file } = await makeConfig(folder, 'data_dir: .\n');
  writeFileSync(join(folder, 'portico.db'), 'This is no database.');
  const url = `postgres://ann:hush@127.0.0.1:${await freePort()}/portico`;
  for (const [env, said] of [
    [{}, /^portico: database is sqlite:.*portico\.db, which cannot be opened: /],
    [
      { PORTICO_DATABASE: url },
      /^portico: database is postgres:\/\/…@127\.0\.0\.1:\d+\/portico, which cannot be opened: /,
    ],
  ] as const) {
    const { status, stderr } = run(['serve', '--config', file], { env });
    assert.equal(status, 78, stderr);
    assert.match(stderr, said);
    assert.doesNotMatch(stderr, /hush|\n {4}at /);
  }
});

test('a database that may be read and not written exits 78, and is named', async (context) => {
  const folder = makeFolder(context);
  const { file } = await makeConfig(folder, 'data_dir: .\n');
  const first = await start(context, ['serve', '--config', file]);
  assert.equal(await first.stop(), 0);
  for (const name of ['', ...readdirSync(folder)]) chmodSync(join(folder, name), 0o777);
  // As after a backup that somebody else has put in place.
  chmodSync(join(folder, 'portico.db'), 0o444);
  const { status, stderr } = run(['serve', '--config', file], serverUser);
  assert.equal(status, 78, stderr);
  assert.match(stderr, /^portico: database is sqlite:.*portico\.db, which cannot be opened: .*readonly/);
});

test('accounts and tokens are made while a server runs, and while none does', async (context) => {
  const { file, port } = await makeConfig(makeFolder(context));
  const portico = (...words: string[]) => run([...words, '--config', file]);
  const made = portico('user', 'add', 'alice', '--password', 'wonderland', '--admin');
  assert.equal(made.status, 0, made.stderr);
  assert.equal(made.stdout, 'Made @alice:a.org\n');
  const { stop } = await start(context, ['serve', '--config', file]);

  const taken = portico('user', 'add', '@alice:a.org');
  assert.equal(taken.status, 1);
  const bob = run(['user', 'add', 'bob', '--password-stdin', '--config', file], { input: 'builder\nmore\n' });
  assert.equal(bob.status, 0, bob.stderr);
  const [, password] = /^Made @carol:a\.org, password (\S{20})\n$/.exec(portico('user', 'add', 'carol').stdout) ?? [];
  const passwords = { alice: 'wonderland', bob: 'builder', carol: password };
  for (const [user, secret] of Object.entries(passwords)) {
    const identifier = { type: 'm.id.user', user };
    const body = JSON.stringify({ type: 'm.login.password', identifier, password: secret });
    const url = `http://127.0.0.1:${port}/_matrix/client/v3/login`;
    const answer = await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    assert.equal(answer.status, 200, user);
  }

  assert.equal(portico('token', 'add', 'welcome', '--uses', '3', '--days', '2').stdout, 'welcome\n');
  assert.match(portico('token', 'list').stdout, /^welcome {2}used 0 of 3 times {2}until 20\d\d-/);
  assert.equal(await stop(), 0);
  assert.equal(portico('token', 'revoke', 'welcome').status, 0);
  assert.equal(portico('token', 'revoke', 'welcome').status, 1);
  assert.equal(portico('token', 'list').stdout, '');
});

suite('bin/portico', () => {
  test('finds its runtime from any directory, through symbolic links', (context) => {
    const folder = makeFolder(context);
    symlinkSync(program, join(folder, 'absolute'));
    symlinkSync('absolute', join(folder, 'relative'));
    const { status, stdout } = run(['--help'], { cwd: '/', file: join(folder, 'relative') });
    assert.equal(status, 0);
    assert.match(stdout, /Matrix homeserver/);
  });

  test('says what to do where nothing is installed', (context) => {
    const folder = makeFolder(context);
    const file = join(folder, 'bin/portico');
    cpSync(program, file);
    const { status, stderr } = run(['--help'], { file });
    assert.equal(status, 1);
    assert.match(stderr, /Run `npm ci` in \S+ first/);
  });

  test('says what to install where the runtime does not start', (context) => {
    const folder = makeFolder(context);
    const file = join(folder, 'bin/portico');
    cpSync(program, file);
    const runtime = join(folder, 'node_modules/.bin/node');
    mkdirSync(dirname(runtime), { recursive: true });
    writeFileSync(runtime, '#!/bin/sh\necho "libatomic.so.1: cannot open shared object file" >&2\nexit 127\n', {
      mode: 0o755,
    });
    const { status, stderr } = run(['--help'], { file });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^libatomic\.so\.1: .*\nportico: the pinned runtime does not start here\. .* `apt-get install libatomic1`/,
    );
  });
});
