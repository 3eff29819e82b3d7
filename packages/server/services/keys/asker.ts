/** Who wants keys of other servers: turns are shared among people, and nobody is asked for what nobody waits for any more. */
export type KeyAsker = {
  readonly userId: string;
  /** Says that the client has gone away. */
  readonly signal?: AbortSignal;
};
