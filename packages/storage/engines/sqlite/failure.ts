import type { StorageErrorReason } from '../../errors.ts';

const full = 13;
const busy = 5;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const cannotOpen = 14;
const notADatabase = 26;
/** The index of the write-ahead log could not grow. https://www.sqlite.org/rescode.html#ioerr_shmsize */
const ioErrorShmSize = 4874;

function codeOf(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : undefined;
}

/** Why the database as a whole could not take a group; `undefined` where one set alone is to blame. */
export function wholeFailure(error: unknown, committing: boolean): StorageErrorReason | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (code === ioErrorShmSize || (code & 0xff) === full) return 'disk-full';
  switch (code & 0xff) {
    case ioError:
      // The log may hold the commit although its sync failed.
      return committing ? 'outcome-unknown' : 'unavailable';
    case busy:
    case readOnly:
    case corrupt:
    case cannotOpen:
    case notADatabase:
      return 'unavailable';
    default:
      return undefined;
  }
}
