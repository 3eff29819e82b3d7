/**
 * What this server says it can do. A version is listed once everything that clients do on seeing it works; clients test
 * for exact versions, so gaps would do no harm, and too many would.
 */
export const supportedVersions: readonly string[] = ['v1.1', 'v1.2'];

/** By the flags that clients look for. Only what is there and works. */
export const unstableFeatures: Readonly<Record<string, boolean>> = {
  // Private receipts; receipts and counts by thread (clients look for both flags); mentions that are meant.
  'org.matrix.msc2285.stable': true,
  'org.matrix.msc3771': true,
  'org.matrix.msc3773': true,
  'org.matrix.msc3952_intentional_mentions': true,
};
