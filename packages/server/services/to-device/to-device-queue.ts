import { createWriteSet, type Database } from '@portico/storage';
import {
  dropDelivered,
  readToDevice,
  type QueuePlace,
  type ToDeviceRow,
} from '@portico/storage/stores/devices/to-device.ts';
import { MatrixError } from '../../errors/matrix-error.ts';

export type ToDevicePage = {
  /** Each as JSON text. */
  readonly events: readonly string[];
  /** Behind the last of them; where the page began, if there are none. */
  readonly next: string | undefined;
  readonly hasMore: boolean;
};

/** Messages to a device that does not sync. */
export interface ToDeviceQueue {
  /** A page behind a place, which is taken to have arrived. Throws `request.invalid-param` for what is no place. */
  take(
    device: { readonly userId: string; readonly deviceId: string },
    from: string | undefined,
    limit: number,
  ): Promise<ToDevicePage>;
}

const beginning: QueuePlace = { position: -1, seq: 0 };

export function createToDeviceQueue(db: Database): ToDeviceQueue {
  return {
    async take(device, from, limit) {
      const place = from === undefined ? undefined : parsePlace(from);
      if (from !== undefined && place === undefined) throw new MatrixError('request.invalid-param');
      if (place !== undefined) {
        const set = createWriteSet();
        dropDelivered(set, [{ ...device, ...place }]);
        await db.commit(set);
      }
      const rows = await readToDevice(db, device, place ?? beginning, db.currentPosition(), limit + 1);
      const shown = rows.slice(0, limit);
      const last = shown.at(-1);
      return {
        events: shown.map(toDeviceEvent),
        next: last === undefined ? from : `${last.position}.${last.seq}`,
        hasMore: rows.length > shown.length,
      };
    },
  };
}

/** A message as clients get it, as JSON text. */
export function toDeviceEvent({ sender, type, content }: ToDeviceRow): string {
  return `{"content":${content},"sender":${JSON.stringify(sender)},"type":${JSON.stringify(type)}}`;
}

/** `<position>.<seq>` */
export function parsePlace(text: string | undefined): QueuePlace | undefined {
  const match = text === undefined ? null : /^([0-9]{1,15})\.([0-9]{1,15})$/.exec(text);
  return match === null ? undefined : { position: Number(match[1]), seq: Number(match[2]) };
}

export function isBehind(place: QueuePlace, other: QueuePlace): boolean {
  return place.position > other.position || (place.position === other.position && place.seq > other.seq);
}
