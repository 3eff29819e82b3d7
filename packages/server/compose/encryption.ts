import { serverNameOf } from '@portico/protocol';
import type { Database } from '@portico/storage';
import { dropDehydratedOf } from '@portico/storage/stores/devices/dehydrated-devices.ts';
import { dropToDeviceOf } from '@portico/storage/stores/devices/to-device.ts';
import type { Logger } from '../observability/logger.ts';
import type { OwnPassword } from '../services/accounts/own-password.ts';
import type { Devices, OnDeviceAdded, OnDeviceRenamed, OnDevicesDeleted } from '../services/devices/devices.ts';
import type { FederationClient } from '../services/federation/client/federation-client.ts';
import type { EduHandler } from '../services/federation/receiving/edus.ts';
import { createDehydratedDevices, type DehydratedDevices } from '../services/keys/dehydrated-devices.ts';
import { forgetKeys, tellNewDevice, tellNewName } from '../services/keys/device-hooks.ts';
import { createDeviceListChanges } from '../services/keys/device-list-changes.ts';
import { createKeyBackup, type KeyBackup } from '../services/keys/key-backup.ts';
import { createKeys, type Keys } from '../services/keys/keys.ts';
import { createKeysForServers, type KeysForServers } from '../services/keys/keys-for-servers.ts';
import { createAskServers } from '../services/keys/remote/ask-servers.ts';
import { createClaimRemoteKeys } from '../services/keys/remote/claim-remote-keys.ts';
import { deviceListEdu } from '../services/keys/remote/device-list-edu.ts';
import { createFetchLists } from '../services/keys/remote/fetch-lists.ts';
import { createRemoteLists } from '../services/keys/remote/remote-lists.ts';
import { createSharingChanges } from '../services/keys/remote/sharing-changes.ts';
import { signingKeyEdu } from '../services/keys/remote/signing-key-edu.ts';
import { createToDeviceQueue } from '../services/to-device/to-device-queue.ts';

type Context = {
  readonly db: Database;
  readonly serverName: string;
  /** Whether this server talks to others. */
  readonly federates: boolean;
  /** Whether it tells them the names of devices. */
  readonly tellsNames: boolean;
  readonly client: FederationClient;
  readonly now: () => number;
  readonly log: Logger;
};

type Accounts = { readonly ownPassword: OwnPassword; readonly devices: Devices };

type EncryptionServices = {
  readonly keys: Keys;
  readonly keyBackup: KeyBackup;
  readonly keysForServers: KeysForServers;
  readonly dehydratedDevices: DehydratedDevices;
};

export type Encryption = {
  /** What happens to keys when something happens to devices. */
  readonly deviceHooks: {
    readonly onDevicesDeleted: readonly OnDevicesDeleted[];
    readonly onDeviceAdded: OnDeviceAdded;
    readonly onDeviceRenamed: OnDeviceRenamed;
  };
  readonly eduHandlers: readonly (readonly [type: string, handler: EduHandler])[];
  /** The services, for the people who have these accounts. */
  services(accounts: Accounts): EncryptionServices;
  close(): Promise<void>;
};

/** Keys for end-to-end encryption, of this server's people and of others. */
export function createEncryption({ db, serverName, federates, tellsNames, client, now, log }: Context): Encryption {
  const isLocal = (userId: string): boolean => serverNameOf(userId) === serverName;
  const changes = createDeviceListChanges({ db, serverName, federates, tellsNames });
  const askServers = createAskServers({ now });
  const lists = createRemoteLists({
    db,
    serverName,
    fetchLists: createFetchLists({ client, askServer: askServers.query }),
  });
  const claim = createClaimRemoteKeys({ client, askServer: askServers.claim });
  const sharing = createSharingChanges({
    db,
    serverName,
    tellsNames,
    onFailure: (error) => log.error({ error }, 'Telling servers of the devices of new members failed'),
  });
  const signingKeys = signingKeyEdu({ db, serverName });
  return {
    deviceHooks: {
      onDevicesDeleted: [dropToDeviceOf, dropDehydratedOf, forgetKeys({ db, changes })],
      onDeviceAdded: tellNewDevice({ db, changes }),
      onDeviceRenamed: tellNewName({ db, changes, tellsNames }),
    },
    eduHandlers: [
      ['m.device_list_update', deviceListEdu({ db, serverName })],
      ['m.signing_key_update', signingKeys],
      ['org.matrix.signing_key_update', signingKeys],
    ],
    services({ ownPassword, devices }) {
      const remote = federates ? { lists, claim } : undefined;
      const keys = createKeys({ db, isLocal, ownPassword, deviceListChanges: changes, tellsNames, remote });
      return {
        keys,
        keyBackup: createKeyBackup({ db }),
        keysForServers: createKeysForServers({ db, isLocal, tellsNames }),
        dehydratedDevices: createDehydratedDevices({
          db,
          devices,
          plan: keys.plan,
          queue: createToDeviceQueue(db),
          now,
        }),
      };
    },
    close: sharing.close,
  };
}
