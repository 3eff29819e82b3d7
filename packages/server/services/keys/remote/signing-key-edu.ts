import { createWriteSet, type Database } from '@portico/storage';
import {
  markDeviceList,
  type PublicKeyRow,
  queryKeys,
  readJoinedRoomsOf,
} from '@portico/storage/stores/devices/device-keys.ts';
import {
  addRemoteKeys,
  markRemoteListStale,
  readRemoteLists,
} from '@portico/storage/stores/devices/remote-device-lists.ts';
import { type EduHandler, userOf } from '../../federation/receiving/edus.ts';
import { parseRemoteSigningKeys } from './parse-remote-keys.ts';

type Dependencies = { readonly db: Database; readonly serverName: string };

/**
 * New cross-signing keys of somebody of another server.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#msigning_key_update}
 */
export function signingKeyEdu({ db, serverName }: Dependencies): EduHandler {
  async function areNews(userId: string, given: readonly PublicKeyRow[]): Promise<boolean> {
    const { keys } = await queryKeys(db, [[userId, '']], '');
    return given.some(({ kind, keys: text }) => !keys.some((known) => known.kind === kind && known.keys === text));
  }

  return {
    afterEvents: false,
    async receive({ origin, content }) {
      const userId = userOf(origin, content['user_id']);
      if (userId === undefined) return;
      const [list] = await readRemoteLists(db, [userId], serverName);
      if (list === undefined || list.shared === 0) return;
      const { master_key: master, self_signing_key: selfSigning } = content;
      const keys = parseRemoteSigningKeys(userId, { master, self_signing: selfSigning });
      const given = [master, selfSigning].filter((key) => key !== undefined && key !== null).length;
      const set = createWriteSet();
      // Of keys that are here already something else must be new: Dendrite sends them when a device has been signed.
      const isAll = keys.length === given && (await areNews(userId, keys));
      if (list.cached === 1 && isAll) addRemoteKeys(set, userId, keys);
      else if (list.known === 1) markRemoteListStale(set, userId);
      markDeviceList(set, userId, await readJoinedRoomsOf(db, userId), set.takePosition());
      await db.commit(set);
    },
  };
}
