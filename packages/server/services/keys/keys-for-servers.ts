import type { Database } from '@portico/storage';
import { type KnownKeys, queryKeys } from '@portico/storage/stores/devices/device-keys.ts';
import { readStreamIds } from '@portico/storage/stores/devices/device-list-sending.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createPacer } from '../pacer.ts';
import { claimLocalKeys, handedOutText, type KeyClaim } from './claim-local-keys.ts';
import { createKeySections, portionsOf, wantedDevices, type KeyQuery } from './key-sections.ts';
import { signedKey } from './signed-key.ts';

/** What other servers may know of the keys of this one's people. Of anybody else's keys they are told nothing. */
export interface KeysForServers {
  /** All devices of somebody as JSON text. Throws `not-found` for people of other servers. */
  devices(userId: string): Promise<string>;
  /** The response as JSON text. */
  query(query: KeyQuery): Promise<string>;
  /** The response as JSON text. */
  claim(claim: KeyClaim): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly isLocal: (userId: string) => boolean;
  /** Whether other servers are told the names of devices. */
  readonly tellsNames: boolean;
};

/** Nobody of this server, so that only what people have signed of their own keys is shown. */
const stranger = '';

/** {@link https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption} */
export function createKeysForServers({ db, isLocal, tellsNames }: Dependencies): KeysForServers {
  const pace = createPacer();
  const ownPeople = <T>(byUser: { readonly [userId: string]: T }): { readonly [userId: string]: T } =>
    Object.fromEntries(Object.entries(byUser).filter(([userId]) => isLocal(userId)));

  async function read(wanted: readonly (readonly [userId: string, deviceId: string])[]): Promise<KnownKeys> {
    const { keys, signatures } = await queryKeys(db, wanted, stranger);
    return { keys: tellsNames ? keys : keys.map((row) => ({ ...row, display_name: null })), signatures };
  }

  return {
    async devices(userId) {
      if (!isLocal(userId)) throw new MatrixError('not-found');
      // First the number: what changes after it may be in the answer, but never the other way round.
      const streamId = (await readStreamIds(db, [userId])).get(userId) ?? 0;
      const { keys, signatures } = await read([[userId, '*']]);
      const devices = keys
        .filter(({ kind }) => kind === 'device')
        .map((row) => ({
          device_id: row.id,
          ...(row.display_name !== null && { device_display_name: row.display_name }),
          keys: signedKey(row, signatures),
        }));
      const others = keys.filter(({ kind }) => kind === 'master' || kind === 'self_signing');
      const signing = others.map((row) => [`${row.kind}_key`, signedKey(row, signatures)] as const);
      return JSON.stringify({ user_id: userId, stream_id: streamId, devices, ...Object.fromEntries(signing) });
    },
    async query(query) {
      const { add, devices, section } = createKeySections();
      for (const portion of portionsOf(wantedDevices(ownPeople(query)))) {
        const { keys, signatures } = await read(portion);
        add(new Set(portion.map(([userId]) => userId)), keys, signatures);
        const pause = pace();
        if (pause !== undefined) await pause;
      }
      return (
        `{"device_keys":${devices()},"master_keys":${section('master')},` +
        `"self_signing_keys":${section('self_signing')}}`
      );
    },
    async claim(claim) {
      return `{"one_time_keys":${handedOutText(await claimLocalKeys(db, ownPeople(claim)))}}`;
    },
  };
}
