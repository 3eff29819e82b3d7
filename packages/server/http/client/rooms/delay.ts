import { Type } from 'typebox';
import { eventIdResponse } from './schemas.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140} */
export const delayParameter = 'org.matrix.msc4140.delay';

/** Milliseconds after which an event is to be sent. */
export const delayQuery = { [delayParameter]: Type.Optional(Type.Integer({ minimum: 1 })) } as const;

const delayId = Type.Object({ delay_id: Type.String() }, { title: 'DelayId' });

export const sentOrDelayed = Type.Union([eventIdResponse, delayId]);
