import { Type } from 'typebox';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4140} */
export const unstablePath = '/_matrix/client/unstable/org.matrix.msc4140';

export const delayIdResponse = Type.Object({ delay_id: Type.String() }, { title: 'DelayId' });

const scheduled = {
  delay_id: Type.String(),
  room_id: Type.String(),
  type: Type.String(),
  state_key: Type.Optional(Type.String()),
  content: Type.Object({}),
  delay_ms: Type.Integer(),
  delayed_since_ts: Type.Integer(),
} as const;

export const delayedEvent = Type.Object(
  {
    ...scheduled,
    finalised: Type.Optional(
      Type.Object(
        {
          finalised_ts: Type.Integer(),
          event_id: Type.Optional(Type.String()),
          error: Type.Optional(Type.Object({})),
        },
        { title: 'DelayedEventOutcome' },
      ),
    ),
  },
  { title: 'DelayedEvent' },
);

/** With the names that clients in use know from before. */
export const listedDelayedEvent = Type.Object(
  { ...scheduled, delay: Type.Integer(), running_since: Type.Integer() },
  { title: 'ListedDelayedEvent' },
);
