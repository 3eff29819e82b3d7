import type { ReadingContext } from '../../../services/reading/context.ts';
import type { Endpoint } from '../../endpoint.ts';
import { getRelatingEvents, getRelatingEventsOfEventType, getRelatingEventsOfType } from './get-relating-events.ts';
import { getThreadRoots } from './get-thread-roots.ts';

/** What events say about each other. */
export const relationEndpoints: readonly Endpoint<{ reading: ReadingContext }>[] = [
  getRelatingEvents,
  getRelatingEventsOfType,
  getRelatingEventsOfEventType,
  getThreadRoots,
];
