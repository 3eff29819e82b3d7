import type { Client } from 'pg';
import type { Inspection } from '../inspection.ts';
import { connectPostgres } from './client.ts';
import { createReaderPool } from './readers.ts';

/** What a process of ours opens: its writer, readers, long readers, and the two that listen. */
const connectionsPerProcess = 10;
/** Older ones get no fixes any more. */
const oldestSupported = 14;

type Facts = {
  readonly version: string;
  readonly version_number: number;
  readonly encoding: string;
  readonly collation: string;
  readonly most_connections: number;
  readonly clock: number;
  readonly is_there: boolean;
};

const facts = `select current_setting('server_version') as version,
  current_setting('server_version_num')::int as version_number,
  current_setting('server_encoding') as encoding,
  (select datcollate from pg_database where datname = current_database()) as collation,
  current_setting('max_connections')::int as most_connections,
  (extract(epoch from clock_timestamp()) * 1000)::float8 as clock,
  to_regclass('schema_migrations') is not null as is_there`;

export async function inspectPostgres(url: string, now: () => number): Promise<Inspection> {
  const client = await connectPostgres({ url, name: 'portico inspection' });
  try {
    const asked = now();
    const { rows } = await client.query<Facts>(facts);
    const [found] = rows;
    if (found === undefined) throw new Error('PostgreSQL says nothing about itself');
    const pool = await createReaderPool({
      url,
      name: 'portico inspection',
      connections: 1,
      timeout: 60_000,
      log: () => undefined,
    });
    return {
      reader: pool.reader,
      engine: `PostgreSQL ${found.version}, encoding ${found.encoding}, collation ${found.collation}`,
      schemaVersion: found.is_there ? await schemaVersionOf(client) : undefined,
      clockAhead: found.clock - (asked + now()) / 2,
      findDamage: () => [],
      remarks: remarksOn(found),
      close: pool.close,
    };
  } finally {
    await client.end();
  }
}

async function schemaVersionOf(client: Client): Promise<number | undefined> {
  const { rows } = await client.query<{ version: string | null }>(
    'select max(version) as version from schema_migrations',
  );
  const version = rows[0]?.version ?? undefined;
  return version === undefined ? undefined : Number(version);
}

function remarksOn({ version, version_number: number, encoding, most_connections: most }: Facts): string[] {
  return [
    ...(encoding === 'UTF8' ? [] : [`the encoding is ${encoding}: make a database with encoding UTF8`]),
    ...(number >= oldestSupported * 10_000 ? [] : [`version ${version} is old: use ${oldestSupported} or newer`]),
    ...(most >= connectionsPerProcess + 5
      ? []
      : [`max_connections is ${most}, and one process takes ${connectionsPerProcess}: raise it`]),
  ];
}
