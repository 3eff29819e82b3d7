import { Type } from 'typebox';
import type { DelayedEventRequest } from '../../../services/delayed-events/delayed-events.ts';
import type { Sender } from '../../endpoint.ts';
import { delayIdResponse } from '../delayed-events/schemas.ts';
import { eventIdResponse } from './schemas.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140} */
export const delayParameter = 'org.matrix.msc4140.delay';

/** Milliseconds after which an event is to be sent. */
export const delayQuery = { [delayParameter]: Type.Optional(Type.Integer({ minimum: 1 })) } as const;

export const sentOrDelayed = Type.Union([eventIdResponse, delayIdResponse]);

type Event = Pick<DelayedEventRequest, 'roomId' | 'type' | 'stateKey' | 'txnId' | 'content'>;

/** What clients that know the proposal's first form ask for when they send something. */
export function withDelay(
  { userId, deviceId }: Sender,
  event: Event,
  delay: number,
  options: Pick<DelayedEventRequest, 'originServerTs' | 'stickyMs'>,
): DelayedEventRequest {
  return { ...event, ...options, userId, deviceId, delay, form: 'parameter' };
}
