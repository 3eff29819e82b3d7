/** The command was understood, and the answer is no. The message is for the person who typed it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
