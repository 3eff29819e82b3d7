import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { migrateSqlite } from '../../engines/sqlite/migrate.ts';
import { toSqliteText } from '../../engines/sqlite/sql-text.ts';
import { migrations } from '../../migrations/index.ts';
import { statements } from '../../sql.ts';
import { createWriteSet } from '../../write-set.ts';
import { claimKeys } from './one-time-keys.ts';

test('the first key of a device, and how many it has, are found by its place among the keys', () => {
  const sqlite = new DatabaseSync(':memory:');
  migrateSqlite(sqlite, migrations);
  const set = createWriteSet();
  claimKeys(set, []);
  const [, claim] = set.writes.map(({ statement }) => statement.text);
  for (const text of [claim, statements.get('one-time-keys.counts')?.text]) {
    const plan = sqlite.prepare(`explain query plan ${toSqliteText(text ?? '')}`).all();
    const steps = plan.map((row) => String(row['detail']));
    assert.ok(
      steps.some((step) => step.includes('USING PRIMARY KEY (user_id=? AND device_id=?')),
      steps.join('\n'),
    );
    assert.ok(!steps.some((step) => step.includes('TEMP B-TREE')), steps.join('\n'));
  }
  sqlite.close();
});
