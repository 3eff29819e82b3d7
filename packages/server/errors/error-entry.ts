export type ErrorEntry = {
  /** `undefined` for a challenge, which has no error unless an attempt has failed, and where OAuth 2.0 has its own codes. */
  readonly errcode: string | undefined;
  /** What OAuth 2.0 calls it. Its endpoints answer with that, as `error`, and the message beside it. */
  readonly oauth?: string;
  /** Read by the HTTP error plugin and by nobody else. */
  readonly status: number;
  /** What a person is told where the service says nothing more exact. */
  readonly message: string;
};
