import type { Notifications } from '../../../services/push/notifications.ts';
import type { Unsubscribe } from '../../../services/push/unsubscribe.ts';
import type { Pushers } from '../../../services/push/pushers.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getNotifications } from './get-notifications.ts';
import { askToUnsubscribe, unsubscribe } from './unsubscribe.ts';
import { getPushers, postPusher } from './pushers.ts';

type Services = { pushers: Pushers; notifications: Notifications; unsubscribe: Unsubscribe };

/** On what people are told of what happens. */
export const pushEndpoints: readonly Endpoint<Services>[] = [
  getPushers,
  postPusher,
  getNotifications,
  askToUnsubscribe,
  unsubscribe,
];
