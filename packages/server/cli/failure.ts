export const exitCodes = { fine: 0, no: 1, usage: 2, configuration: 78 } as const;

/** The command was called in a way it does not understand. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
