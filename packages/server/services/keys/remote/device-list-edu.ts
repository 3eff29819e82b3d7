import { isJsonObject, type JsonObject } from '@portico/protocol';
import { createWriteSet, type Database, StorageError, type WriteSet } from '@portico/storage';
import { markDeviceList, readJoinedRoomsOf } from '@portico/storage/stores/devices/device-keys.ts';
import {
  addRemoteKeys,
  countRemoteDevices,
  dropRemoteDevice,
  markRemoteListStale,
  moveRemoteStream,
  readRemoteLists,
  renameRemoteDevice,
  type RemoteListRow,
} from '@portico/storage/stores/devices/remote-device-lists.ts';
import { type EduHandler, userOf } from '../../federation/receiving/edus.ts';
import { isDeviceId, maxRemoteDevices, parseDeviceName, parseRemoteDevice } from './parse-remote-keys.ts';

type Dependencies = { readonly db: Database; readonly serverName: string };

type Update = {
  readonly userId: string;
  readonly deviceId: string;
  readonly streamId: number;
  readonly previous: readonly number[];
  readonly content: JsonObject;
};

/**
 * A change of a device of somebody of another server. Of people who share no room with anybody here nothing is kept. Where
 * an update before it is missing, the list is old, and is asked for again when somebody wants to know.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#device-management}
 */
export function deviceListEdu({ db, serverName }: Dependencies): EduHandler {
  /** Whether there was news in it. */
  async function apply(set: WriteSet, update: Update, list: RemoteListRow): Promise<boolean> {
    const { userId, deviceId, streamId, content, previous } = update;
    const known = list.stream_id;
    if (list.known === 0) return true;
    // Some servers name no update before, and always give the same number: for them an update says only that there was one.
    const isNext = previous.length > 0 && known !== null && previous.every((id) => id <= known) && streamId >= known;
    if (list.cached === 0 || !isNext) {
      markRemoteListStale(set, userId);
      return true;
    }
    if (streamId === known) return false;
    if (content['deleted'] === true) dropRemoteDevice(set, userId, deviceId);
    else if (isJsonObject(content['keys'])) {
      const row = parseRemoteDevice(userId, deviceId, content['keys'], content['device_display_name']);
      if ((await countRemoteDevices(db, userId)) >= maxRemoteDevices) {
        markRemoteListStale(set, userId);
        return true;
      }
      // A device whose keys are no keys is none.
      if (row === undefined) dropRemoteDevice(set, userId, deviceId);
      else addRemoteKeys(set, userId, [row]);
    } else renameRemoteDevice(set, userId, deviceId, parseDeviceName(content['device_display_name']));
    moveRemoteStream(set, userId, known, streamId);
    return true;
  }

  async function receive(update: Update): Promise<void> {
    const [list] = await readRemoteLists(db, [update.userId], serverName);
    if (list === undefined || list.shared === 0) return;
    const set = createWriteSet();
    if (!(await apply(set, update, list))) return;
    markDeviceList(set, update.userId, await readJoinedRoomsOf(db, update.userId), set.takePosition());
    await db.commit(set);
  }

  return {
    // Whoever answers an event of the same transaction encrypts for the devices that are known by then.
    afterEvents: false,
    async receive({ origin, content }) {
      const update = parseUpdate(origin, content);
      if (update === undefined) return;
      try {
        await receive(update);
      } catch (error) {
        if (!(error instanceof StorageError) || error.guard !== 'remote-list.moved') throw error;
        // Another process took another update at the same time: with what that has left behind.
        await receive(update);
      }
    },
  };
}

function parseUpdate(origin: string, content: JsonObject): Update | undefined {
  const { device_id: deviceId, stream_id: streamId } = content;
  const previous = content['prev_id'] ?? [];
  const userId = userOf(origin, content['user_id']);
  if (userId === undefined || !isDeviceId(deviceId) || !isStreamId(streamId)) return undefined;
  if (!Array.isArray(previous) || !previous.every(isStreamId)) return undefined;
  return { userId, deviceId, streamId, previous, content };
}

function isStreamId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
