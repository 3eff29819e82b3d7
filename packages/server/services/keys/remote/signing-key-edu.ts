import { createWriteSet, type Database } from '@portico/storage';
import { markDeviceList, readJoinedRoomsOf } from '@portico/storage/stores/devices/device-keys.ts';
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
      if (list.cached === 1 && keys.length === given) addRemoteKeys(set, userId, keys);
      else if (list.known === 1) markRemoteListStale(set, userId);
      markDeviceList(set, userId, await readJoinedRoomsOf(db, userId), set.takePosition());
      await db.commit(set);
    },
  };
}
