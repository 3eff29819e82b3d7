/**
 * Statements that may read a whole table or a whole index, by name, each with the reason why that is bounded. A test
 * fails on any other one.
 */
export const allowedFullScans: ReadonlyMap<string, string> = new Map([]);
