import { Type, type TSchema } from 'typebox';

const text = Type.Optional(Type.String());

/** All of it is optional, since a filter's `event_fields` may ask for parts of events only. */
const event = Type.Object(
  {
    type: text,
    content: Type.Optional(Type.Object({})),
    sender: text,
    event_id: text,
    state_key: text,
    origin_server_ts: Type.Optional(Type.Integer()),
    unsigned: Type.Optional(Type.Object({})),
    msc4354_sticky: Type.Optional(Type.Object({ duration_ms: Type.Integer() })),
  },
  { title: 'SyncEvent' },
);
const events = Type.Object({ events: Type.Array(event) }, { title: 'SyncEvents' });
const timeline = Type.Object(
  { events: Type.Array(event), limited: Type.Boolean(), prev_batch: Type.String() },
  { title: 'SyncTimeline' },
);
const counts = Type.Object(
  { notification_count: Type.Integer(), highlight_count: Type.Integer() },
  { title: 'UnreadCounts' },
);
const countsByThread = Type.Record(Type.String(), counts);
const summary = Type.Object(
  {
    'm.heroes': Type.Optional(Type.Array(Type.String())),
    'm.joined_member_count': Type.Optional(Type.Integer()),
    'm.invited_member_count': Type.Optional(Type.Integer()),
  },
  { title: 'SyncRoomSummary' },
);

const rooms = <T extends TSchema>(room: T) => Type.Optional(Type.Record(Type.String(), room));
/** One of them, as the request has it. */
const states = {
  state: Type.Optional(events),
  state_after: Type.Optional(events),
  'org.matrix.msc4222.state_after': Type.Optional(events),
};
const joined = Type.Object(
  {
    ...states,
    timeline,
    summary: Type.Optional(summary),
    account_data: Type.Optional(events),
    ephemeral: Type.Optional(events),
    msc4354_sticky: Type.Optional(events),
    unread_notifications: Type.Optional(counts),
    unread_thread_notifications: Type.Optional(countsByThread),
    'org.matrix.msc3773.unread_thread_notifications': Type.Optional(countsByThread),
  },
  { title: 'SyncJoinedRoom' },
);
const invited = Type.Object({ invite_state: events }, { title: 'SyncInvitedRoom' });
const knocked = Type.Object({ knock_state: events }, { title: 'SyncKnockedRoom' });
const left = Type.Object({ ...states, timeline, account_data: Type.Optional(events) }, { title: 'SyncLeftRoom' });

const fallbackTypes = Type.Optional(Type.Array(Type.String()));
const devices = Type.Object(
  { changed: Type.Array(Type.String()), left: Type.Array(Type.String()) },
  { title: 'DeviceListChanges' },
);

/** {@link https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync} */
export const syncResponse = Type.Object(
  {
    next_batch: Type.String(),
    rooms: Type.Optional(
      Type.Object(
        { join: rooms(joined), invite: rooms(invited), knock: rooms(knocked), leave: rooms(left) },
        { title: 'SyncRooms' },
      ),
    ),
    account_data: Type.Optional(events),
    presence: Type.Optional(events),
    to_device: Type.Optional(events),
    device_lists: Type.Optional(devices),
    device_one_time_keys_count: Type.Optional(Type.Record(Type.String(), Type.Integer())),
    device_unused_fallback_key_types: fallbackTypes,
    'org.matrix.msc2732.device_unused_fallback_key_types': fallbackTypes,
  },
  { title: 'SyncResponse' },
);
