import type { DirectoryQuery } from './list-page.ts';

/** The directories of other servers. */
export interface RemoteDirectory {
  /** A page, as JSON text. */
  list(server: string, query: DirectoryQuery): Promise<string>;
}
