/** Who sends an authenticated request. */
export type Sender = {
  readonly userId: string;
  readonly deviceId: string;
  readonly isAdmin: boolean;
  /** Which access token it was, as storage knows it. */
  readonly tokenHash: string;
};
