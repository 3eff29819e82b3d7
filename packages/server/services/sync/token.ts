/**
 * What `/sync` calls `next_batch`: everything durable up to one position, and for each stream that lives in memory a
 * serial of its own, under a letter.
 */
export type SyncToken = { readonly position: number; readonly serials: ReadonlyMap<string, string> };

const format = /^s1_(0|[1-9][0-9]{0,9})((?:_[a-z][0-9A-Za-z.-]{1,64}){0,8})$/;
const noSerials: ReadonlyMap<string, string> = new Map();

export function formatSyncToken(position: number, serials: Iterable<readonly [string, string]> = []): string {
  let text = `s1_${position}`;
  for (const [letter, serial] of serials) text += `_${letter}${serial}`;
  return text;
}

export function parseSyncToken(text: string): SyncToken | undefined {
  const match = format.exec(text);
  if (match === null) return undefined;
  const [, position, rest] = match;
  if (rest === undefined || rest === '') return { position: Number(position), serials: noSerials };
  const serials = rest.slice(1).split('_');
  return {
    position: Number(position),
    serials: new Map(serials.map((serial) => [serial.slice(0, 1), serial.slice(1)] as const)),
  };
}
