import { existsSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { fail, type Finding, ok, reasonOf, warn } from './finding.ts';

type Options = {
  readonly dataDir: string;
  readonly keyFile: string;
  /** Reads the key, or throws why it is none. */
  readonly readKey: (file: string) => { readonly keyId: string };
  /** Of this process; `undefined` where the system has none. */
  readonly userId: number | undefined;
};

/** The folder, whose it is, and who else may read it. */
export function checkFolder({ dataDir, keyFile, readKey, userId }: Options): Finding[] {
  if (!existsSync(dataDir)) {
    return [warn('data folder', `there is no ${dataDir} yet`, 'The first start makes it; or restore a backup.')];
  }
  const stats = statSync(dataDir);
  const files = ['server_name', 'signing.key', 'portico.db', 'media'].map((name) => join(dataDir, name));
  const there = [dataDir, ...files].filter((path) => existsSync(path)).map((path) => [path, statSync(path)] as const);
  return [...checkOwner(dataDir, there, userId, stats), ...checkModes(there), checkKey(keyFile, readKey)];
}

type Found = readonly (readonly [path: string, stats: Stats])[];

function checkOwner(dataDir: string, found: Found, userId: number | undefined, { uid }: Stats): Finding[] {
  const foreign = found.find(([, stats]) => stats.uid !== uid);
  if (foreign !== undefined) {
    const text = `${foreign[0]} belongs to user ${foreign[1].uid}, the folder to user ${uid}`;
    return [fail('data folder', text, `Give all of it to whom the server runs as: chown -R ${uid} ${dataDir}`)];
  }
  if (userId === undefined || userId === uid) return [ok('data folder', dataDir)];
  const advice = 'Run commands as that user, with runuser or su: files that another one makes may be out of its reach.';
  return [warn('data folder', `${dataDir} belongs to user ${uid}, and this is user ${userId}`, advice)];
}

function checkModes(found: Found): Finding[] {
  const open = found.filter(([, { mode }]) => (mode & 0o077) !== 0).map(([path]) => path);
  // Inside a folder that nobody else can enter, the modes of files are no matter.
  const isClosed = found[0] !== undefined && (found[0][1].mode & 0o077) === 0;
  if (open.length === 0 || isClosed) return [ok('permissions', 'nobody else can read it')];
  return [warn('permissions', `others can read ${open.join(', ')}`, `chmod -R go= ${found[0]?.[0]}`)];
}

function checkKey(file: string, readKey: Options['readKey']): Finding {
  if (!existsSync(file)) return warn('signing key', `there is no ${file} yet`, 'The first start makes it.');
  try {
    return ok('signing key', readKey(file).keyId);
  } catch (error) {
    return fail('signing key', reasonOf(error), 'Restore it from a backup: other servers know this server by it.');
  }
}
