/**
 * What our own tests ask of a server that they start as a process: where it kills itself, and how large its database may
 * grow. Not settings: nobody else has a use for them.
 */
export type TestingConfig = {
  readonly failpoint: string | undefined;
  readonly maxDatabaseBytes: number | undefined;
};

export function readTesting(environment: Readonly<Record<string, string | undefined>>): TestingConfig {
  const bytes = environment['PORTICO_TEST_MAX_DATABASE_BYTES'];
  return {
    failpoint: environment['PORTICO_TEST_FAILPOINT'],
    maxDatabaseBytes: bytes === undefined ? undefined : Number(bytes),
  };
}
