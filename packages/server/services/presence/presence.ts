import { MatrixError } from '../../errors/matrix-error.ts';
import type { EndSync, OwnPeople } from './own-people.ts';
import type { PeopleRooms } from './people-rooms.ts';
import type { Sight } from './sight.ts';
import {
  maxStatusLength,
  parsePresenceState,
  presenceContent,
  type PresenceContent,
  type PresenceState,
} from './view.ts';

/** What clients ask about presence. {@link https://spec.matrix.org/v1.19/client-server-api/#presence} */
export interface Presence {
  /** A device begins a `/sync`, with what it asks to be shown as. Call what it gives when that ends. */
  beginSync(device: Device, setPresence: PresenceState | undefined): EndSync | Promise<EndSync>;
  noteActivity(device: Device): void;
  set(device: Device, presence: string, statusMsg: string | undefined): Promise<void>;
  /** Throws `presence.hidden` whether there is nobody of that name or they are not to be seen. */
  get(recipient: string, userId: string): Promise<PresenceContent>;
}

type Device = { readonly userId: string; readonly deviceId: string };

type Dependencies = {
  readonly isOwn: (userId: string) => boolean;
  readonly own: OwnPeople;
  readonly rooms: PeopleRooms;
  readonly sight: Sight;
  readonly hasAccount: (userId: string) => Promise<boolean>;
  readonly now: () => number;
};

export function createPresence({ isOwn, own, rooms, sight, hasAccount, now }: Dependencies): Presence {
  async function maySee(recipient: string, userId: string): Promise<boolean> {
    if (isOwn(userId)) return (await hasAccount(userId)) && (await sight.decide(userId, recipient)).allowed;
    if (await sharesRoom(recipient, userId)) return true;
    // The last that one hears of somebody, "offline" and no more, says what is said of nobody.
    const view = await sight.look(userId, recipient);
    return view !== undefined && (view.state !== 'offline' || view.lastActive !== undefined);
  }

  /** A server that does not share somebody's presence says nothing of them: that they are there, and offline, is all one can see. */
  async function sharesRoom(recipient: string, userId: string): Promise<boolean> {
    await rooms.load([userId, recipient]);
    const [one, other] = [rooms.known(userId), rooms.known(recipient)];
    return one?.keys().some((roomNid) => other?.has(roomNid) === true) === true;
  }

  return {
    beginSync: ({ userId, deviceId }, setPresence = 'online') => own.beginSync(userId, deviceId, setPresence),
    noteActivity: ({ userId, deviceId }) => own.noteActivity(userId, deviceId),
    async set({ userId, deviceId }, presence, statusMsg) {
      const state = parsePresenceState(presence);
      if (state === undefined) {
        throw new MatrixError('request.invalid-param', {
          message: 'presence is one of online, unavailable, offline and org.matrix.msc3026.busy.',
        });
      }
      if (statusMsg !== undefined && statusMsg.length > maxStatusLength) {
        throw new MatrixError('request.invalid-param', {
          message: `A status has at most ${maxStatusLength} characters.`,
        });
      }
      await own.set(userId, deviceId, state, statusMsg === '' ? undefined : statusMsg);
    },
    async get(recipient, userId) {
      if (!(await maySee(recipient, userId))) throw new MatrixError('presence.hidden');
      const view = isOwn(userId) ? await own.find(userId) : await sight.look(userId, recipient);
      return view === undefined ? { presence: 'offline' } : presenceContent(view, now());
    },
  };
}

/** Where presence is turned off, nobody is seen, and nobody can say that they are there. */
export const noPresence: Presence = {
  beginSync: () => () => {},
  noteActivity: () => {},
  set: () => Promise.reject(new MatrixError('presence.disabled')),
  get: () => Promise.reject(new MatrixError('presence.hidden')),
};
