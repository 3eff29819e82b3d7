/** Who sends an authenticated request. */
export type Sender = {
  readonly userId: string;
  /** '' for an application service that acts on none of the user's devices. */
  readonly deviceId: string;
  /** Whether they may do what administrators do, and so may what they are logged in with. */
  readonly isAdmin: boolean;
  /** An administrator, by way of an app that was not let in for that. */
  readonly lacksAdminScope?: true;
  /** What an administrator did about the account; absent for most. */
  readonly standing?: 'locked' | 'suspended';
  /** Which access token it was, as storage knows it. */
  readonly tokenHash: string;
  /** The application service that acts as the user. */
  readonly appService?: { readonly id: string; readonly isRateLimited: boolean };
};
