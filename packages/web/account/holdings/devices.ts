import type { JsonObject } from '@portico/protocol/json/value.ts';
import { objectsOf, textOf } from '../server/json.ts';
import type { Session } from '../server/session.ts';

export type Device = {
  readonly id: string;
  readonly name: string;
  readonly seen: Date | undefined;
  readonly from: string | undefined;
};

function readDevice(value: JsonObject): Device {
  const { device_id: id, display_name: name, last_seen_ts: seen, last_seen_ip: from } = value;
  return {
    id: textOf(id) ?? '',
    name: typeof name === 'string' && name.trim() !== '' ? name : 'A device without a name',
    seen: typeof seen === 'number' ? new Date(seen) : undefined,
    from: textOf(from),
  };
}

/** Those that were used last come first. */
export async function readDevices(session: Session): Promise<readonly Device[]> {
  const { devices } = await session.ask({ path: '_matrix/client/v3/devices' });
  return objectsOf(devices)
    .map(readDevice)
    .toSorted((one, other) => (other.seen?.getTime() ?? 0) - (one.seen?.getTime() ?? 0));
}
