import { formatSyncToken, parseSyncToken, type SyncToken } from '../sync/token.ts';

/**
 * What a client of sliding sync has: of which connection, after which answer that changed what the connection remembers,
 * with which extensions, and up to where.
 */
export type Pos = {
  readonly connection: number;
  readonly serial: number;
  /** A letter for each extension that was enabled, with a hash where it was not for all rooms. */
  readonly extensions: string;
  readonly token: SyncToken;
};

/** Stands for the extension for subscriptions to threads. */
export const threadsLetter = 'h';

const format = /^p1_([1-9][0-9]{0,14})_([1-9][0-9]{0,14})_([a-z0-9A-F]{0,40})_(.+)$/;

export function formatPos({ connection, serial, extensions, token }: Pos): string {
  return `p1_${connection}_${serial}_${extensions}_${formatSyncToken(token.position, token.serials)}`;
}

export function parsePos(text: string): Pos | undefined {
  const match = format.exec(text);
  if (match === null) return undefined;
  const [, connection, serial, extensions = '', rest = ''] = match;
  const token = parseSyncToken(rest);
  if (token === undefined) return undefined;
  return { connection: Number(connection), serial: Number(serial), extensions, token };
}
