import { serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { queryKeys } from '@portico/storage/stores/devices/device-keys.ts';
import {
  readComingsAndGoings,
  readAnnounced,
  readNewHosts,
  readStreamIds,
  type NewHostRow,
} from '@portico/storage/stores/devices/device-list-sending.ts';
import { forgetRemoteLists, readKeptLists } from '@portico/storage/stores/devices/remote-device-lists.ts';
import { type QueuedEdu, queueEdusEach } from '@portico/storage/stores/federation/stored-edus.ts';
import { createCatchUp, type CatchUp, type Portion } from '../../catch-up/catch-up.ts';
import { lastWhole } from '../../catch-up/last-whole.ts';
import { deviceAnnouncement, withoutName } from '../device-update.ts';
import { signedKey } from '../signed-key.ts';

const movesPerPortion = 1000;
/** Devices that servers are told of at a time: from one of somebody they learn that there may be more. */
const maxAnnounced = 1000;
/** Nobody of this server, so that only what people have signed of their own keys is shown. */
const stranger = '';

type Options = {
  readonly db: Database;
  readonly serverName: string;
  /** Whether other servers are told the names of devices. */
  readonly tellsNames: boolean;
  readonly onFailure: (error: unknown) => void;
};

/**
 * What follows, for keys, from people coming into rooms and going from them: keys of those of other servers who share no
 * room with anybody here any more are forgotten, and servers that have not heard of somebody's devices are told.
 *
 * > when that user joins a room which contains servers which are not already receiving updates for that user's device list
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#device-management}
 */
export function createSharingChanges({ db, serverName, tellsNames, onFailure }: Options): CatchUp {
  const isLocal = (userId: string): boolean => serverNameOf(userId) === serverName;

  /** Tells servers of the devices of those whom they had nothing to do with before. */
  async function announce(newHosts: readonly NewHostRow[]): Promise<QueuedEdu[]> {
    if (newHosts.length === 0) return [];
    const hosts = Map.groupBy(newHosts, (row) => row.user_id);
    const users = [...hosts.keys()];
    const [streamIds, devices, { keys, signatures }] = await Promise.all([
      readStreamIds(db, users),
      readAnnounced(db, users, maxAnnounced),
      queryKeys(
        db,
        users.map((userId) => [userId, '*'] as const),
        stranger,
      ),
    ]);
    const rows = new Map(
      keys.filter(({ kind }) => kind === 'device').map((row) => [`${row.user_id} ${row.id}`, row] as const),
    );
    return devices.map(({ user_id: userId, device_id: deviceId, display_name: displayName }) => {
      const row = rows.get(`${userId} ${deviceId}`);
      const device = { deviceId, displayName, keys: row && signedKey(row, signatures) };
      return {
        type: 'm.device_list_update',
        content: deviceAnnouncement(userId, tellsNames ? device : withoutName(device), streamIds.get(userId) ?? 0),
        sender: userId,
        hosts: (hosts.get(userId) ?? []).map(({ host }) => host),
      };
    });
  }

  async function work(after: number, upTo: number): Promise<Portion> {
    const moves = await readComingsAndGoings(db, after, upTo, movesPerPortion);
    const reached = moves.length < movesPerPortion ? upTo : lastWhole(moves, after, upTo);
    const done = moves.filter(({ position }) => position <= reached);
    const joins = done.filter((move) => move.membership === 'join' && isLocal(move.user_id));
    const left = done.filter((move) => move.membership !== 'join');
    const [newHosts, forgotten] = await Promise.all([
      readNewHosts(db.long, joins, serverName),
      readKeptLists(
        db,
        left.map((move) => move.user_id).filter((userId) => !isLocal(userId)),
        left.filter((move) => isLocal(move.user_id)).map((move) => move.room_nid),
      ),
    ]);
    const edus = await announce(newHosts);
    return {
      reached,
      append(set) {
        queueEdusEach(set, edus);
        forgetRemoteLists(set, forgotten, serverName);
      },
    };
  }

  return createCatchUp({ db, name: 'device-lists', work, onFailure, concerns: (kind) => kind === 'membership' });
}
