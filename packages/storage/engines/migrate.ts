import type { Migration } from '../migrations/migration.ts';

/** The database is of a newer version of the program; nothing was changed in it. */
export class SchemaTooNewError extends Error {
  override readonly name = 'SchemaTooNewError';

  constructor(found: number, known: number) {
    super(
      `The database has schema version ${found}, which a newer version of Portico made; this version knows schema ` +
        `versions up to ${known}. Run the newer version again, or restore a backup made before it ran.`,
    );
  }
}

/** The steps that a database still needs which has `applied` (version to name) behind it. */
export function pendingMigrations(
  migrations: readonly Migration[],
  applied: ReadonlyMap<number, string>,
): readonly Migration[] {
  migrations.forEach((migration, index) => {
    if (migration.version !== index + 1) {
      throw new Error(`Migration ${migration.version} (${migration.name}) is listed at place ${index + 1}`);
    }
  });
  const newest = Math.max(0, ...applied.keys());
  if (newest > migrations.length) throw new SchemaTooNewError(newest, migrations.length);
  for (const [version, name] of applied) {
    const known = migrations[version - 1]?.name;
    if (known !== name) {
      throw new Error(`The database had migration ${version} as '${name}', the program knows it as '${known}'`);
    }
  }
  return migrations.filter(({ version }) => !applied.has(version));
}
