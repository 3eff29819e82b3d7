import type { JsonObject } from '@portico/protocol';
import { Type } from 'typebox';

const strings = Type.Optional(Type.Array(Type.String()));
const flag = Type.Optional(Type.Boolean());

const eventFilter = {
  limit: Type.Optional(Type.Integer()),
  not_senders: strings,
  not_types: strings,
  senders: strings,
  types: strings,
};

const roomEventFilter = Type.Object(
  {
    ...eventFilter,
    lazy_load_members: flag,
    include_redundant_members: flag,
    unread_thread_notifications: flag,
    not_rooms: strings,
    rooms: strings,
    contains_url: flag,
    'org.matrix.msc3874.rel_types': strings,
    'org.matrix.msc3874.not_rel_types': strings,
  },
  { title: 'RoomEventFilter' },
);

const roomFilter = Type.Object(
  {
    not_rooms: strings,
    rooms: strings,
    ephemeral: Type.Optional(roomEventFilter),
    include_leave: flag,
    state: Type.Optional(roomEventFilter),
    timeline: Type.Optional(roomEventFilter),
    account_data: Type.Optional(roomEventFilter),
  },
  { title: 'RoomFilter' },
);

/** Checked where the spec names a field; what it does not name is kept, for later versions and other servers' ideas. */
const schema = Type.Object(
  {
    event_fields: strings,
    event_format: Type.Optional(Type.Union([Type.Literal('client'), Type.Literal('federation')])),
    presence: Type.Optional(Type.Object(eventFilter, { title: 'EventFilter' })),
    account_data: Type.Optional(Type.Object(eventFilter, { title: 'EventFilter' })),
    room: Type.Optional(roomFilter),
  },
  { title: 'SyncFilter' },
);

export const syncFilter = Type.Unsafe<JsonObject>(schema);
