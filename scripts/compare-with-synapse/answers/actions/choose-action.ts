import type { World } from '../world.ts';
import { changeProfile, ignore, logOut, setAccountData, tagRoom, useDevice } from './account.ts';
import { keepFilter, reportPerson, reportRoom, setPresence, setPusher } from './account-extras.ts';
import type { Action } from './action.ts';
import { backUp } from './backup.ts';
import { askForKeys, claimKeys, nameDevice, sendToDevices, uploadIdentity, uploadKeys } from './devices.ts';
import { ban, forget, invite, join, kick, knock, leave, unban } from './membership.ts';
import { react, redact, reportEvent, say, sayEncrypted } from './messages.ts';
import { changePushRules } from './push-rules.ts';
import { moveMarkers, sendReceipt, type } from './reading.ts';
import { addToSpace, changeAlias, createRoom, listRoom, upgradeRoom } from './rooms.ts';
import { changePower, setMembership, setState } from './state.ts';

const often: readonly (readonly [weight: number, action: Action])[] = [
  [18, say],
  [4, react],
  [2, sayEncrypted],
  [5, redact],
  [1, reportEvent],
  [6, createRoom],
  [1, upgradeRoom],
  [2, addToSpace],
  [2, changeAlias],
  [2, listRoom],
  [8, join],
  [4, leave],
  [6, invite],
  [2, kick],
  [2, ban],
  [2, unban],
  [3, knock],
  [2, forget],
  [9, setState],
  [1, setMembership],
  [4, changePower],
  [10, sendReceipt],
  [3, moveMarkers],
  [3, type],
  [4, setAccountData],
  [3, tagRoom],
  [2, ignore],
  [3, changeProfile],
  [2, useDevice],
  [1, logOut],
  [5, changePushRules],
  [2, backUp],
  [1, nameDevice],
  [2, uploadKeys],
  [1, uploadIdentity],
  [1, askForKeys],
  [1, claimKeys],
  [2, sendToDevices],
  [1, setPusher],
  [1, setPresence],
  [1, keepFilter],
  [1, reportRoom],
  [1, reportPerson],
];

const bag = often.flatMap(([weight, action]) => Array.from({ length: weight }, () => action));

export const chooseAction = (world: World): Action => world.pick(bag);
