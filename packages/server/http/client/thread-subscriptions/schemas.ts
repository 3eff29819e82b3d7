import { Type } from 'typebox';

export const subscriptionPath =
  '/_matrix/client/unstable/io.element.msc4306/rooms/:roomId/thread/:eventId/subscription';

const byThread = <T extends ReturnType<typeof Type.Object>>(entry: T) =>
  Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), entry)));

export const subscriptionPage = Type.Object(
  {
    subscribed: byThread(Type.Object({ automatic: Type.Boolean(), bump_stamp: Type.Integer() })),
    unsubscribed: byThread(Type.Object({ bump_stamp: Type.Integer() })),
    end: Type.Optional(Type.String()),
  },
  { title: 'ThreadSubscriptionChanges' },
);
