/**
 * Public keys whose private half everybody can have. Whoever signs with one proves nothing.
 *
 * {@link https://nvd.nist.gov/vuln/detail/CVE-2026-24044} An installer that gave many servers the same key.
 */
const leakedKeys: ReadonlySet<string> = new Set(['l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og']);

/** Takes unpadded Base64. */
export function isLeaked(publicKey: string): boolean {
  return leakedKeys.has(publicKey);
}
