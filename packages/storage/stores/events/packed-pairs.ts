/**
 * Pairs of a number and a text, as one parameter: a JSON array of texts that begin with the number in 16 digits. Both
 * engines take it apart with `substr` alone: `cast(substr(value, 1, 16) as bigint)` and `substr(value, 17)`.
 */
export function packPairs(pairs: Iterable<readonly [number, string]>): string {
  const packed: string[] = [];
  for (const [number, text] of pairs) packed.push(`${String(number).padStart(16, '0')}${text}`);
  return JSON.stringify(packed);
}
