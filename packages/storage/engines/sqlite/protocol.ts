import type { WriteSet } from '../../database.ts';
import type { StorageErrorReason } from '../../errors.ts';
import type { Sql, SqlValue } from '../../sql.ts';
import type { FailpointSetting } from '../failpoints.ts';
import { advanceOf } from '../settle.ts';
import { positionParams } from '../shared-text.ts';
import type { ConnectionSettings } from './connection.ts';
import { toSqliteText } from './sql-text.ts';

/** What the threads say to each other. Flat arrays: the structured clone of objects costs more than the work. */

export type WriterSettings = {
  readonly connection: ConnectionSettings;
  readonly failpoint: FailpointSetting | undefined;
};

/** A statement the writer has not seen: its number, its text, which of its parameters are positions. */
export type Definition = readonly [id: number, text: string, positions: readonly number[]];

/**
 * A write set: how many positions it takes, how many writes it has, then each write: statement number, expected rows
 * (or one of the two below), how many parameters, the parameters. A position is its index within the set.
 */
export type EncodedSet = readonly SqlValue[];

export const anyRows = -1;
export const returningRows = -2;

export type ToWriter = readonly [definitions: readonly Definition[], sets: readonly EncodedSet[]] | 'close';

/** `write` is the place of the write whose guard failed; an `error` is a defect. */
export type SetFailure = { readonly set: number; readonly write: number; readonly error: unknown };

export type GroupFailure = { readonly reason: StorageErrorReason; readonly error: unknown };

export type FromWriter =
  | readonly [
      kind: 'committed',
      /** The position before the first one of the group; sets that failed took none. */
      base: number,
      took: number,
      failures: readonly SetFailure[] | undefined,
      returned: readonly (readonly unknown[])[] | undefined,
    ]
  | readonly [kind: 'failed', failure: GroupFailure]
  | readonly [kind: 'checkpoint', pages: number, took: number]
  | readonly [kind: 'checkpoint-failed', error: unknown]
  | readonly [kind: 'ready', position: number]
  | readonly [kind: 'closed'];

export type Encoder = {
  /** Numbers of statements come with their definition once, in the next `takeDefinitions`. */
  readonly encode: (set: WriteSet) => EncodedSet;
  readonly takeDefinitions: () => readonly Definition[];
};

type Numbered = { readonly id: number; readonly positions: readonly number[] };

export function createEncoder(): Encoder {
  const numbers = new Map<Sql<unknown, never>, Numbered>();
  let definitions: Definition[] = [];

  const define = (statement: Sql<unknown, never>): Numbered => {
    const numbered = { id: numbers.size, positions: positionParams(statement.text) };
    numbers.set(statement, numbered);
    definitions.push([numbered.id, toSqliteText(statement.text), numbered.positions]);
    return numbered;
  };

  return {
    encode(set) {
      const out: SqlValue[] = [advanceOf(set), set.writes.length];
      for (const { statement, params, expect, returning } of set.writes) {
        const { id, positions } = numbers.get(statement) ?? define(statement);
        out.push(id, returning ? returningRows : (expect ?? anyRows), params.length);
        let found = 0;
        for (const value of params) {
          if (typeof value === 'object' && value !== null && 'position' in value) {
            out.push(value.position);
            found++;
          } else {
            out.push(value);
          }
        }
        if (found !== positions.length) {
          throw new Error(
            `${statement.name} has ${positions.length} position($n) but ${found} positions as parameters`,
          );
        }
      }
      return out;
    },
    takeDefinitions() {
      const taken = definitions;
      definitions = [];
      return taken;
    },
  };
}

export function bytesOf(encoded: EncodedSet): number {
  let bytes = 0;
  for (const value of encoded)
    bytes += typeof value === 'object' ? (value?.length ?? 0) : typeof value === 'string' ? value.length : 8;
  return bytes;
}
