import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseJson, type JsonObject } from '@portico/protocol';

/** A file of this folder, to be taken as what its README promises. */
export function readVectors(path: string): unknown {
  return parseJson(readFileSync(join(import.meta.dirname, path), 'utf8'), 'plain', 200);
}

export type Cases<Case> = { readonly source: string; readonly cases: readonly Case[] };

export type EventCase = { readonly name: string; readonly roomVersion: string; readonly event: JsonObject };
