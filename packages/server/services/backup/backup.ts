import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { copySqlite } from '@portico/storage/engines/sqlite/copy.ts';
import { inspectDatabase } from '@portico/storage/inspect.ts';
import type { Config } from '../../config/config.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { checkMedia } from './check-media.ts';
import { copyDurably, copyMedia, namesIn, syncFile } from './copy-files.ts';
import { dumpCommand } from './database-commands.ts';
import * as layout from './manifest.ts';

type Dependencies = {
  readonly config: Pick<Config, 'serverName' | 'dataDir' | 'database' | 'files'>;
  readonly program: string;
  readonly now: () => number;
  /** Told what is being done, a line each. */
  readonly tell: (line: string) => void;
};

type CopiedDatabase = layout.Manifest['database'];

/**
 * Copies all that a server is made of into a folder, also while it runs: the database as it is when this begins, then the media, which
 * are written before the rows that name them.
 */
export async function makeBackup(folder: string, { config, program, now, tell }: Dependencies): Promise<void> {
  const { dataDir, serverName } = config;
  const started = now();
  if (!existsSync(join(dataDir, layout.keyFile))) {
    throw new MatrixError('not-found', { message: `There is no server in ${dataDir} yet: nothing to copy.` });
  }
  await makeDestination(folder, config.database.kind);
  const database = await copyDatabase(folder, { config, now, tell });
  tell('media: copying');
  const media = await copyMedia(join(dataDir, layout.mediaFolder), join(folder, layout.mediaFolder));
  tell(`media: ${media.files} files, ${megabytes(media.bytes)}`);
  for (const file of [layout.keyFile, layout.nameFile]) await copyDurably(join(dataDir, file), join(folder, file));
  const configuration = await copyConfiguration(config.files, folder);
  if (config.database.kind === 'sqlite') await tellOfMissing(folder, { now, tell });
  const manifest: layout.Manifest = {
    format: 1,
    program,
    server_name: serverName,
    started_ts: started,
    finished_ts: now(),
    database,
    signing_key: await layout.describeFile(folder, layout.keyFile),
    media,
    configuration,
  };
  const file = join(folder, layout.manifestFile);
  await writeFile(file, `${JSON.stringify(manifest, undefined, 2)}\n`, { flag: 'wx', mode: 0o600 });
  await syncFile(file);
  await syncFile(folder);
}

async function makeDestination(folder: string, kind: 'sqlite' | 'postgres'): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const allowed = kind === 'postgres' ? [layout.dumpFile, 'lost+found'] : ['lost+found'];
  const found = (await namesIn(folder)).find((name) => !allowed.includes(name));
  if (found === undefined) return;
  const message = `${folder} is not empty: there is ${found}. Name a folder that does not exist, or is empty.`;
  throw new MatrixError('request.invalid-param', { message });
}

type Copying = Pick<Dependencies, 'config' | 'now' | 'tell'>;

async function copyDatabase(folder: string, { config, now, tell }: Copying): Promise<CopiedDatabase> {
  const { database } = config;
  if (database.kind === 'postgres') {
    const { schemaVersion, close } = await inspectDatabase({ url: database.url, now, inUse: true });
    await close();
    const schema = { kind: 'postgres' as const, schema_version: schemaVersion ?? 0 };
    if (existsSync(join(folder, layout.dumpFile))) {
      return { ...schema, copy: await layout.describeFile(folder, layout.dumpFile) };
    }
    tell(`database: NOT in this backup, since PostgreSQL copies its own. Before the media are copied, better run`);
    tell(`    ${dumpCommand(database.url, join(folder, layout.dumpFile))}`);
    return schema;
  }
  const copy = join(folder, layout.databaseFile);
  let tenths = 0;
  await copySqlite(database.path, copy, (done, all) => {
    const reached = Math.floor((done / all) * 10);
    if (reached > tenths) tell(`database: ${reached * 10} % of ${megabytes(all * 4096)}`);
    tenths = reached;
  });
  await syncFile(copy);
  const { findDamage, schemaVersion, close } = await inspectDatabase({ url: `sqlite:${copy}`, now, inUse: false });
  const damage = findDamage();
  await close();
  if (damage.length > 0) {
    throw new MatrixError('server.unavailable', {
      message: `The database is damaged, and the copy with it: ${damage.join('; ')}. Keep the last backup that was whole.`,
    });
  }
  const described = await layout.describeFile(folder, layout.databaseFile);
  tell(`database: ${megabytes(described.bytes)}, whole`);
  return { kind: 'sqlite', schema_version: schemaVersion ?? 0, copy: described };
}

/** The files of a configuration lie in different folders, and may have the same names there. */
async function copyConfiguration(files: readonly string[], folder: string): Promise<layout.Manifest['configuration']> {
  await mkdir(join(folder, layout.configFolder), { mode: 0o700 });
  const copied: { path: string; file: string }[] = [];
  for (const path of new Set(files)) {
    const taken = copied.some(({ file }) => file === join(layout.configFolder, basename(path)));
    const file = join(layout.configFolder, taken ? `${copied.length}-${basename(path)}` : basename(path));
    await copyDurably(path, join(folder, file));
    copied.push({ path, file });
  }
  return copied;
}

async function tellOfMissing(folder: string, { now, tell }: Pick<Dependencies, 'now' | 'tell'>): Promise<void> {
  const url = `sqlite:${join(folder, layout.databaseFile)}`;
  const { reader, close } = await inspectDatabase({ url, now, inUse: false });
  try {
    const { missing } = await checkMedia(reader, join(folder, layout.mediaFolder));
    if (missing > 0) {
      tell(
        `media: ${missing} files that the database names are not there. Some may have been deleted while they were copied.`,
      );
    }
  } finally {
    await close();
  }
}

function megabytes(bytes: number): string {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
