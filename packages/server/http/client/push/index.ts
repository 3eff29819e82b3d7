import type { Notifications } from '../../../services/push/notifications.ts';
import type { Pushers } from '../../../services/push/pushers.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getNotifications } from './get-notifications.ts';
import { getPushers, postPusher } from './pushers.ts';

/** On what people are told of what happens. */
export const pushEndpoints: readonly Endpoint<{ pushers: Pushers; notifications: Notifications }>[] = [
  getPushers,
  postPusher,
  getNotifications,
];
