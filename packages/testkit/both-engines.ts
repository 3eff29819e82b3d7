import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openDatabase } from '@portico/storage';
import type { Database, OpenOptions } from '@portico/storage';
import { createTestDatabase } from './postgres.ts';

type Options = Omit<OpenOptions, 'url'>;
type Body = (database: Database, context: TestContext) => Promise<void> | void;

/** The path of a fresh SQLite database in a folder that goes with the test. */
export function temporarySqlite(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'portico-sqlite-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return `sqlite:${join(folder, 'portico.db')}`;
}

/** Opens a database for the length of a test. */
export async function openFor(context: TestContext, url: string, options: Options = {}): Promise<Database> {
  const database = await openDatabase({ durability: 'relaxed', ...options, url });
  context.after(() => database.close());
  return database;
}

/** The same test on a fresh SQLite database and on a fresh PostgreSQL one. */
export function onBothEngines(name: string, body: Body, options: Options = {}): void {
  test(`${name} (SQLite)`, async (context) => {
    await body(await openFor(context, temporarySqlite(context), options), context);
  });
  test(`${name} (PostgreSQL)`, async (context) => {
    await body(await openFor(context, await createTestDatabase(), options), context);
  });
}
