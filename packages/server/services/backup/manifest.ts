import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Type, type Static } from 'typebox';
import { Check } from 'typebox/value';
import { MatrixError } from '../../errors/matrix-error.ts';

export const manifestFile = 'backup.json';
export const databaseFile = 'portico.db';
/** Where the dump of a PostgreSQL database belongs. */
export const dumpFile = 'portico.dump';
export const keyFile = 'signing.key';
export const nameFile = 'server_name';
export const mediaFolder = 'media';
export const configFolder = 'config';

const CopiedFile = Type.Object({ file: Type.String(), bytes: Type.Integer(), sha256: Type.String() });

/** What says that a backup is complete, and what is in it; written last. */
const Manifest = Type.Object({
  format: Type.Literal(1),
  program: Type.String(),
  server_name: Type.String(),
  started_ts: Type.Integer(),
  finished_ts: Type.Integer(),
  database: Type.Object({
    kind: Type.Union([Type.Literal('sqlite'), Type.Literal('postgres')]),
    schema_version: Type.Integer(),
    /** Absent where the dump is kept elsewhere. */
    copy: Type.Optional(CopiedFile),
  }),
  signing_key: CopiedFile,
  media: Type.Object({ files: Type.Integer(), bytes: Type.Integer() }),
  /** The files of the configuration: where they were, and what they are called in the backup. */
  configuration: Type.Array(Type.Object({ path: Type.String(), file: Type.String() })),
});

export type Manifest = Static<typeof Manifest>;
export type CopiedFile = Static<typeof CopiedFile>;

export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, manifestFile);
  const content = await readFile(path, 'utf8').catch(() => {
    throw new MatrixError('not-found', {
      message: `${path} cannot be read: this is no backup, or one that did not come to its end.`,
    });
  });
  const manifest: unknown = parseOrNothing(content);
  if (Check(Manifest, manifest)) return manifest;
  throw new MatrixError('not-found', { message: `${path} is not what this version of Portico writes.` });
}

function parseOrNothing(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

export async function describeFile(folder: string, file: string): Promise<CopiedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(join(folder, file)), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  return { file, bytes, sha256: hash.digest('hex') };
}
