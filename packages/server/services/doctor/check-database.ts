import { existsSync, statSync } from 'node:fs';
import { inspectDatabase, type Inspection, knownSchemaVersion } from '@portico/storage/inspect.ts';
import type { Config } from '../../config/config.ts';
import { fail, type Finding, ok, reasonOf, warn } from './finding.ts';

type Options = { readonly database: Config['database']; readonly isRunning: boolean; readonly now: () => number };

/** Bytes of the log beside an SQLite database: it is emptied all the time, unless somebody reads for hours. */
const longLog = 512 * 1024 * 1024;

export async function checkDatabase({ database, isRunning, now }: Options): Promise<Finding[]> {
  if (database.kind === 'sqlite' && !existsSync(database.path)) {
    return [warn('database', `there is no ${database.path} yet`, 'The first start makes it; or restore a backup.')];
  }
  let inspection: Inspection;
  try {
    inspection = await inspectDatabase({ url: database.url, now, inUse: isRunning });
  } catch (error) {
    const advice = 'Look at the setting database, and whether the database server runs and lets this user in.';
    return [fail('database', `it cannot be opened: ${reasonOf(error)}`, advice)];
  }
  try {
    return [
      ...(database.kind === 'sqlite' ? checkFile(database.path, inspection) : [ok('database', inspection.engine)]),
      ...inspection.remarks.map((remark) => warn('database', remark, 'See docs/operate/databases.md.')),
      checkSchema(inspection.schemaVersion),
    ];
  } finally {
    await inspection.close();
  }
}

function checkFile(path: string, { engine, findDamage }: Inspection): Finding[] {
  const damage = findDamage();
  const log = `${path}-wal`;
  return [
    damage.length === 0
      ? ok('database', `${path} is whole (${engine})`)
      : fail('database', `${path} is damaged: ${damage.join('; ')}`, 'Stop the server, and restore a backup.'),
    ...(existsSync(log) && statSync(log).size > longLog
      ? [
          warn(
            'database log',
            `${log} has ${(statSync(log).size / 1e6).toFixed(0)} MB`,
            'Something has read for a long time: look for a backup that hangs, or restart the server.',
          ),
        ]
      : []),
  ];
}

function checkSchema(found: number | undefined): Finding {
  const known = knownSchemaVersion;
  if (found === undefined) return warn('schema', 'there are no tables yet', 'The first start makes them.');
  if (found === known) return ok('schema', `version ${found}`);
  if (found < known) {
    const advice = 'Make a backup before the next start, which brings it up to date: there is no way back.';
    return warn('schema', `version ${found}, and this program brings it to ${known}`, advice);
  }
  const text = `version ${found}, and this program knows ${known}`;
  return fail('schema', text, 'Run the newer version of the program again, or restore a backup made before it ran.');
}
