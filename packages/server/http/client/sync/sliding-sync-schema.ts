import { Type, type Static } from 'typebox';

const flag = Type.Optional(Type.Boolean());
const strings = Type.Optional(Type.Array(Type.String()));
const types = Type.Optional(Type.Array(Type.Union([Type.String(), Type.Null()])));

/** As long as a type or a state key of an event can be. */
const name = Type.String({ maxLength: 255 });

const roomConfig = {
  timeline_limit: Type.Integer({ minimum: 0 }),
  required_state: Type.Optional(Type.Array(Type.Tuple([name, name]), { maxItems: 200 })),
};

const range = Type.Tuple([Type.Integer({ minimum: 0 }), Type.Integer({ minimum: 0 })]);

const filters = Type.Object(
  {
    is_dm: flag,
    spaces: strings,
    is_encrypted: flag,
    is_invite: flag,
    room_types: types,
    not_room_types: types,
    room_name_like: Type.Optional(Type.String()),
    tags: strings,
    not_tags: strings,
  },
  { title: 'SlidingRoomFilter' },
);

const list = Type.Object(
  {
    ...roomConfig,
    ranges: Type.Optional(Type.Array(range, { maxItems: 100 })),
    slow_get_all_rooms: flag,
    filters: Type.Optional(filters),
  },
  { title: 'SyncListConfig' },
);

const scoped = Type.Optional(Type.Object({ enabled: flag, lists: strings, rooms: strings }));

export const slidingSyncBody = Type.Object(
  {
    conn_id: Type.Optional(Type.String({ maxLength: 255 })),
    lists: Type.Optional(Type.Record(Type.String({ maxLength: 255 }), list)),
    room_subscriptions: Type.Optional(
      Type.Record(Type.String({ maxLength: 255 }), Type.Object(roomConfig, { title: 'RoomSubscription' })),
    ),
    extensions: Type.Optional(
      Type.Object({
        to_device: Type.Optional(
          Type.Object({
            enabled: flag,
            limit: Type.Optional(Type.Integer({ minimum: 0 })),
            since: Type.Optional(Type.String()),
          }),
        ),
        e2ee: Type.Optional(Type.Object({ enabled: flag })),
        account_data: scoped,
        receipts: scoped,
        typing: scoped,
        'org.matrix.msc4354.sticky_events': Type.Optional(
          Type.Object({
            enabled: flag,
            limit: Type.Optional(Type.Integer({ minimum: 1 })),
            since: Type.Optional(Type.String()),
          }),
        ),
        'io.element.msc4308.thread_subscriptions': Type.Optional(
          Type.Object({ enabled: flag, limit: Type.Optional(Type.Integer({ minimum: 1 })) }),
        ),
      }),
    ),
  },
  { title: 'SlidingSyncRequest' },
);

export type SlidingSyncBody = Static<typeof slidingSyncBody>;

const count = Type.Optional(Type.Integer({ minimum: 0 }));
const events = Type.Optional(Type.Array(Type.Object({ type: Type.String() })));

const room = Type.Object(
  {
    initial: flag,
    name: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    avatar: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    heroes: Type.Optional(
      Type.Array(
        Type.Object({
          user_id: Type.String(),
          displayname: Type.Optional(Type.String()),
          avatar_url: Type.Optional(Type.String()),
        }),
      ),
    ),
    is_dm: flag,
    bump_stamp: count,
    joined_count: count,
    invited_count: count,
    notification_count: count,
    highlight_count: count,
    invite_state: events,
    required_state: events,
    unstable_expanded_timeline: flag,
    timeline: events,
    limited: flag,
    prev_batch: Type.Optional(Type.String()),
    num_live: count,
  },
  { title: 'RoomResult' },
);

export const slidingSyncResponse = Type.Object(
  {
    pos: Type.String(),
    lists: Type.Record(Type.String(), Type.Object({ count: Type.Integer({ minimum: 0 }) })),
    rooms: Type.Record(Type.String(), room),
    extensions: Type.Record(Type.String(), Type.Object({})),
  },
  { title: 'SlidingSyncResponse' },
);
