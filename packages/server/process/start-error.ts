/** Why the program cannot start as it is configured. The message names the setting, the value and what to do. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
