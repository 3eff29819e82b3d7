import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { openConnection } from './connection.ts';
import { copySqlite } from './copy.ts';
import { inspectSqlite } from './inspect.ts';

const pages = 7000;

test('a copy is of the moment at which it began, however much is written meanwhile', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-copy-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.db');
  const writer = openConnection({
    path,
    readOnly: false,
    synchronous: 'normal',
    cacheBytes: 1024 * 1024,
    mappedBytes: 0,
    maxBytes: undefined,
  });
  context.after(() => writer.close());
  writer.exec('create table leaves (id integer primary key, content blob)');
  writer.exec(`with recursive n (i) as (select 1 union all select i + 1 from n where i < ${pages})
    insert into leaves (content) select zeroblob(4000) from n`);

  const steps: number[] = [];
  const to = join(folder, 'copy.db');
  await copySqlite(path, to, (done, all) => {
    steps.push(done);
    assert.ok(steps.length < 100, 'it begins again and again');
    assert.ok(all >= pages);
    writer.exec('insert into leaves (content) values (zeroblob(10)); update leaves set content = null where id < 50');
  });
  assert.ok(steps.length >= 3, 'others had a turn');
  assert.deepEqual(
    steps,
    steps.toSorted((a, b) => a - b),
  );

  const copy = new DatabaseSync(to);
  const row = copy.prepare('select count(*) as all_rows, count(content) as full from leaves').get();
  copy.close();
  assert.deepEqual({ ...row }, { all_rows: pages, full: pages });
  const inspected = inspectSqlite(to, { readOnly: false });
  assert.deepEqual(inspected.findDamage(), []);
  assert.equal(inspected.schemaVersion, undefined);
  await inspected.close();
});
