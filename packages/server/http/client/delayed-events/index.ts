import type { DelayedEvents } from '../../../services/delayed-events/delayed-events.ts';
import type { Endpoint } from '../../endpoint.ts';
import { delayEvent, delayEventUnstable } from './delay-event.ts';
import { getDelayedEvent, getDelayedEvents } from './get-delayed-events.ts';
import { updateDelayedEvent, updateDelayedEventById, updateDelayedEventInBody } from './update-delayed-event.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140} */
export const delayedEventEndpoints: readonly Endpoint<{ delayedEvents: DelayedEvents }>[] = [
  delayEvent,
  delayEventUnstable,
  getDelayedEvent,
  getDelayedEvents,
  updateDelayedEvent,
  updateDelayedEventById,
  updateDelayedEventInBody,
];
