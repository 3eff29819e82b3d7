import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createHostsFile, parseHosts } from './hosts-file.ts';

test('the file says which names have which addresses', () => {
  const text =
    '# names\n127.0.0.1 localhost LocalHost.example # here\n::1\tlocalhost ip6\n\nnothing here\n10.0.0.1\n127.0.0.1 localhost';
  assert.deepEqual(Object.fromEntries(parseHosts(text)), {
    localhost: ['127.0.0.1', '::1'],
    'localhost.example': ['127.0.0.1'],
    ip6: ['::1'],
  });
});

test('a file that is changed counts from then on, and one that is not there has no names', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-hosts-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'hosts');
  let now = 0;
  const hosts = createHostsFile({ path, now: () => now });
  assert.deepEqual(await hosts.find('a.test'), []);
  writeFileSync(path, '10.0.0.1 a.test');
  assert.deepEqual(await hosts.find('a.test'), [], 'nobody looks each time');
  now += 1000;
  assert.deepEqual(await hosts.find('A.test'), ['10.0.0.1']);
  writeFileSync(path, '10.0.0.2 a.test other.test');
  now += 1000;
  assert.deepEqual(await hosts.find('a.test'), ['10.0.0.2']);
  rmSync(path);
  now += 1000;
  assert.deepEqual(await hosts.find('a.test'), []);
});
