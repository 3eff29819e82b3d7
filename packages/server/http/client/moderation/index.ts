import type { Moderation } from '../../../services/accounts/moderation.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getAccountLock, setAccountLock } from './account-lock.ts';
import { getAccountSuspension, setAccountSuspension } from './account-suspension.ts';

/** What administrators do about accounts. */
export const moderationEndpoints: readonly Endpoint<{ moderation: Moderation }>[] = [
  getAccountLock,
  setAccountLock,
  getAccountSuspension,
  setAccountSuspension,
];
