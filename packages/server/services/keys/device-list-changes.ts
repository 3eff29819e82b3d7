import { encodeCanonical, type JsonObject } from '@portico/protocol';
import type { Database, WriteSet } from '@portico/storage';
import { markDeviceList, readJoinedRoomsOf } from '@portico/storage/stores/devices/device-keys.ts';
import { queueDeviceUpdates, readHostsSharing } from '@portico/storage/stores/devices/device-list-sending.ts';
import { queueEdus } from '@portico/storage/stores/federation/stored-edus.ts';
import { deviceUpdate, withoutName, type ChangedDevice } from './device-update.ts';

export type DeviceListChange = {
  readonly devices?: readonly ChangedDevice[];
  /** The public master and self-signing key, where either is new. */
  readonly signingKeys?: { readonly master: JsonObject | undefined; readonly selfSigning: JsonObject | undefined };
};

/** Tells those who may use somebody's keys that they have changed: here and on other servers. */
export interface DeviceListChanges {
  /** Adds to the write set that changes the keys. */
  append(set: WriteSet, userId: string, change: DeviceListChange): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: string;
  /** Whether this server talks to others. */
  readonly federates: boolean;
  /** Whether it tells them the names of devices. */
  readonly tellsNames: boolean;
};

export function createDeviceListChanges({ db, serverName, federates, tellsNames }: Dependencies): DeviceListChanges {
  return {
    async append(set, userId, { devices = [], signingKeys }) {
      const [rooms, hosts] = await Promise.all([
        readJoinedRoomsOf(db, userId),
        federates && (devices.length > 0 || signingKeys !== undefined) ? readHostsSharing(db, userId, serverName) : [],
      ]);
      const position = set.takePosition();
      queueDeviceUpdates(
        set,
        userId,
        hosts,
        devices,
        (device) => deviceUpdate(userId, tellsNames ? device : withoutName(device)),
        position,
      );
      if (signingKeys !== undefined && hosts.length > 0) {
        const { master, selfSigning } = signingKeys;
        const content = encodeCanonical({
          user_id: userId,
          ...(master && { master_key: master }),
          ...(selfSigning && { self_signing_key: selfSigning }),
        });
        queueEdus(set, userId, hosts, [{ type: 'm.signing_key_update', content }]);
      }
      markDeviceList(set, userId, rooms, position);
    },
  };
}
