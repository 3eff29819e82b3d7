import type { Reader } from '@portico/storage';
import { createPacer } from './pacer.ts';

/** For long computations that read in between: on SQLite each read is done on the event loop, and a hundred of them hold it for long. */
export function pacedReader(reader: Reader, pace = createPacer()): Reader {
  return {
    async all(statement, params) {
      await pace();
      return reader.all(statement, params);
    },
    async get(statement, params) {
      await pace();
      return reader.get(statement, params);
    },
  };
}
