import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openDataFolder } from './data-folder.ts';
import { createSigningKey, openSigningKey, signingKeyFile } from './signing-key.ts';
import { StartError } from './start-error.ts';

function makeFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-folder-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'data');
}

/** Holds a folder in another process until that is killed. */
async function holdElsewhere(context: TestContext, dataDir: string): Promise<() => Promise<void>> {
  const module = JSON.stringify(join(import.meta.dirname, 'data-folder.ts'));
  const options = JSON.stringify({ dataDir, serverName: 'a.org' });
  // What nobody refers to any more is collected, which must not give the folder up.
  const code = `(await import(${module})).openDataFolder(${options}); gc(); setInterval(() => {}, 1e6); setImmediate(() => console.log('held'));`;
  const holder = spawn(process.execPath, ['--expose-gc', '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  context.after(() => holder.kill('SIGKILL'));
  await Promise.race([once(holder.stdout, 'data'), once(holder, 'exit')]);
  return async () => {
    const ended = once(holder, 'exit');
    holder.kill('SIGKILL');
    await ended;
  };
}

test('a data folder belongs to one process until that ends, however it ends', async (context) => {
  const dataDir = makeFolder(context);
  const kill = await holdElsewhere(context, dataDir);
  const open = () => openDataFolder({ dataDir, serverName: 'a.org' });
  assert.throws(open, (error) => error instanceof StartError && error.message.includes(`data_dir is ${dataDir}`));

  const copy = `${dataDir}-copy`;
  cpSync(dataDir, copy, { recursive: true });
  openDataFolder({ dataDir: copy, serverName: 'a.org' }).close();

  await kill();
  const folder = open();
  assert.equal(folder.isNew, false);
  folder.close();
  open().close();
});

test('a data folder keeps its server name', (context) => {
  const dataDir = makeFolder(context);
  const first = openDataFolder({ dataDir, serverName: 'a.org' });
  assert.equal(first.isNew, true);
  first.close();
  assert.throws(
    () => openDataFolder({ dataDir, serverName: 'b.org' }),
    /server_name is b\.org, but the data folder .* belongs to a\.org.*set server_name to a\.org, or data_dir/,
  );
  // The refusal gives the folder up again.
  openDataFolder({ dataDir, serverName: 'a.org' }).close();
});

test('only its owner may look into a data folder', (context) => {
  const dataDir = makeFolder(context);
  openDataFolder({ dataDir, serverName: 'a.org' }).close();
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
});

test('a data folder that cannot be made is a matter of configuration', (context) => {
  const dataDir = makeFolder(context);
  writeFileSync(dataDir, 'a file');
  assert.throws(() => openDataFolder({ dataDir, serverName: 'a.org' }), StartError);
});

test('the signing key is made once, for its owner only, in the form that Matrix servers use', (context) => {
  const dataDir = makeFolder(context);
  const key = openSigningKey(dataDir);
  assert.equal(key.seed.length, 32);
  const file = signingKeyFile(dataDir);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.match(readFileSync(file, 'utf8'), /^ed25519 a_[A-Za-z]{6} [A-Za-z0-9+/]{43}\n$/);
  assert.deepEqual(openSigningKey(dataDir), key);
  assert.equal(createSigningKey(file), false);
  assert.deepEqual(openSigningKey(dataDir), key);
});

test('a damaged signing key is not replaced', (context) => {
  const dataDir = makeFolder(context);
  openSigningKey(dataDir);
  const file = signingKeyFile(dataDir);
  chmodSync(file, 0o600);
  writeFileSync(file, 'ed25519 a_1 short\n');
  assert.throws(() => openSigningKey(dataDir), StartError);
  assert.equal(readFileSync(file, 'utf8'), 'ed25519 a_1 short\n');
});

test('a folder that cannot be made or used is refused, with what to do', (context) => {
  const folder = makeFolder(context);
  writeFileSync(folder, 'a file');
  const refusals: readonly (readonly [dataDir: string, said: RegExp])[] = [
    // Where the system says that a folder which is there is not, Node's own way of making folders never ends.
    ['/proc/portico/data', /^data_dir is \/proc\/portico\/data, which cannot be made: .* Choose a folder/],
    ['/proc', /^data_dir cannot be used: /],
    [folder, /^data_dir is .*, which is a file\. Choose a folder\.$/],
    [join(folder, 'below'), /^data_dir is .*, which cannot be made: /],
  ];
  for (const [dataDir, said] of refusals) {
    assert.throws(
      () => openDataFolder({ dataDir, serverName: 'a.org' }),
      (error) => error instanceof StartError && said.test(error.message),
      dataDir,
    );
  }
});
