/** Key IDs by server, each with the time until which the key should be valid at least: 0 where that does not matter. */
export type WantedKeys = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Adds a wish to others; of two for the same key, the one for longer counts. */
export function addWanted(
  wanted: Map<string, Map<string, number>>,
  serverName: string,
  keyId: string,
  validUntil: number,
): void {
  const ofServer = wanted.get(serverName) ?? new Map<string, number>();
  wanted.set(serverName, ofServer.set(keyId, Math.max(validUntil, ofServer.get(keyId) ?? 0)));
}
