export type ErrorEntry = {
  /** `undefined` for a challenge, which has no error unless an attempt has failed. */
  readonly errcode: string | undefined;
  /** Read by the HTTP error plugin and by nobody else. */
  readonly status: number;
  /** What a person is told where the service says nothing more exact. */
  readonly message: string;
};
