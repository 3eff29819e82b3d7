import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inspectDatabase, knownSchemaVersion } from '@portico/storage/inspect.ts';
import type { Config } from '../../config/config.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { checkMedia } from './check-media.ts';
import { copyDurably, copyMedia, namesIn, syncFile } from './copy-files.ts';
import { restoreCommand } from './database-commands.ts';
import * as layout from './manifest.ts';

type Dependencies = {
  readonly config: Pick<Config, 'serverName' | 'dataDir' | 'database'>;
  readonly now: () => number;
  readonly tell: (line: string) => void;
  /** In the data folder while a restore is under way: no server starts where it is. */
  readonly unfinishedMark: string;
};

/**
 * Makes the data folder of a server out of a backup. Nothing is changed before everything that can be looked at has been looked at, and
 * nothing that is there is ever overwritten.
 */
export async function restoreBackup(folder: string, dependencies: Dependencies): Promise<void> {
  const { config, tell, unfinishedMark } = dependencies;
  const { dataDir, database } = config;
  const manifest = await readFitting(folder, config);
  await refuseUnlessEmpty(dataDir);
  if (database.kind === 'sqlite' && existsSync(database.path)) refuse(`${database.path} exists already.`);
  await checkCopies(folder, manifest);
  tell(`backup: of ${new Date(manifest.started_ts).toISOString()}, whole`);
  if (database.kind === 'postgres') await requireRestored(folder, dependencies);

  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const mark = join(dataDir, unfinishedMark);
  await writeFile(mark, '', { mode: 0o600 });
  tell('media: copying');
  const media = await copyMedia(join(folder, layout.mediaFolder), join(dataDir, layout.mediaFolder));
  tell(`media: ${media.files} files`);
  if (database.kind === 'sqlite') {
    await mkdir(dirname(database.path), { recursive: true, mode: 0o700 });
    await copyDurably(join(folder, layout.databaseFile), database.path);
  }
  for (const file of [layout.keyFile, layout.nameFile]) await copyDurably(join(folder, file), join(dataDir, file));
  await checkRestored(dependencies);
  if (media.files < manifest.media.files) refuse(`${manifest.media.files - media.files} files of media are missing.`);
  await rm(mark);
  await syncFile(dataDir);
}

async function readFitting(folder: string, { serverName, database }: Dependencies['config']): Promise<layout.Manifest> {
  const manifest = await layout.readManifest(folder);
  if (manifest.server_name !== serverName) {
    refuse(
      `The backup is of ${manifest.server_name}, and server_name is ${serverName}: a server's name cannot change.`,
    );
  }
  if (manifest.database.kind !== database.kind) {
    refuse(`The backup is of a server on ${manifest.database.kind}, and the setting database is of ${database.kind}.`);
  }
  if (manifest.database.schema_version > knownSchemaVersion) {
    refuse(`A newer version of Portico made this backup (${manifest.program}): restore it with that one.`);
  }
  return manifest;
}

/** What a disk of its own has, and what the runtime keeps in the data folder of a container. */
const harmless: ReadonlySet<string> = new Set(['lost+found', '.compile-cache']);

async function refuseUnlessEmpty(dataDir: string): Promise<void> {
  const found = (await namesIn(dataDir)).find((name) => !harmless.has(name));
  if (found === undefined) return;
  refuse(
    `The data folder ${dataDir} is not empty: there is ${found}. Move it away, or set data_dir to another folder.`,
  );
}

async function checkCopies(folder: string, { database, signing_key: key }: layout.Manifest): Promise<void> {
  for (const told of [key, database.copy].filter((copy) => copy !== undefined)) {
    const found = await layout.describeFile(folder, told.file).catch(() => undefined);
    if (found?.sha256 !== told.sha256) refuse(`${join(folder, told.file)} is not as it was when the backup was made.`);
  }
}

async function requireRestored(folder: string, { config, now }: Dependencies): Promise<void> {
  const { schemaVersion, close } = await inspectDatabase({ url: config.database.url, now, inUse: true });
  await close();
  if (schemaVersion !== undefined) return;
  const command = restoreCommand(config.database.url, join(folder, layout.dumpFile));
  refuse(`The database is empty. First run\n    ${command}\nand then this again.`);
}

async function checkRestored({ config, now, tell }: Dependencies): Promise<void> {
  const { reader, findDamage, close } = await inspectDatabase({ url: config.database.url, now, inUse: false });
  try {
    const damage = findDamage();
    if (damage.length > 0) refuse(`The restored database is damaged: ${damage.join('; ')}.`);
    const { files, missing } = await checkMedia(reader, join(config.dataDir, layout.mediaFolder));
    tell(`database: whole, and names ${files} files`);
    if (missing > 0)
      tell(`media: ${missing} of these files are not in the backup, and will not be found by people either`);
  } finally {
    await close();
  }
}

function refuse(message: string): never {
  throw new MatrixError('request.invalid-param', { message });
}
