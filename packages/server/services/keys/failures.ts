import type { JsonObject } from '@portico/protocol';

/** Servers that could not be asked, or did not answer as they should. */
export type Failures = { readonly [server: string]: JsonObject };

export const unreachable: JsonObject = { errcode: 'M_UNAVAILABLE', error: 'The server could not be reached.' };
