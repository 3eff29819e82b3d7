import { Type } from 'typebox';

export const device = Type.Object(
  {
    device_id: Type.String(),
    display_name: Type.Optional(Type.String()),
    last_seen_ip: Type.Optional(Type.String()),
    last_seen_ts: Type.Optional(Type.Integer()),
  },
  { title: 'Device' },
);
export const deviceParams = Type.Object({ deviceId: Type.String() });
