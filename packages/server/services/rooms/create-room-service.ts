import type { JsonObject } from '@portico/protocol';
import type { InviteRules } from '../privacy/invite-rules.ts';
import { createRoomNames } from '../reading/room-names.ts';
import { createAndInvite } from './creation/create-and-invite.ts';
import { createFindRooms } from './find-rooms.ts';
import { createInviteElsewhere } from './membership/invite-elsewhere.ts';
import { createMemberships } from './membership/memberships.ts';
import type { RemoteRooms } from './remote-rooms.ts';
import { createRoomCore, type RoomCoreOptions } from './room-core.ts';
import type { RoomParts } from './room-parts.ts';
import type { RoomService } from './room-service.ts';
import { createSending } from './sending.ts';

export type RoomServiceOptions = RoomCoreOptions & {
  readonly defaultVersion: string;
  /** Somebody is in a room that replaces another one: brings over what they, and this server, had for that. May happen more than once. */
  readonly carryOver?: (userId: string, from: string, to: string) => Promise<void>;
  /** Rooms by way of other servers, where this one federates. */
  readonly remote?: () => RemoteRooms | undefined;
  /** Who may invite the people of this server. */
  readonly inviteRules: Pick<InviteRules, 'refuseBlocked'>;
  /** Whether only administrators list rooms in the directory. */
  readonly onlyAdminsPublish?: boolean;
  /** Refuses an alias that a person, or the application service `by`, may not make. */
  readonly checkAlias?: (alias: string, by: string | undefined) => void;
  /** Has an alias made that does not exist; answers whether that was done. */
  readonly makeAlias?: (alias: string) => Promise<boolean>;
  /** `displayname` and `avatar_url` of a person of this server, for their member events; empty for anyone else. */
  readonly profileOf: (userId: string) => Promise<JsonObject>;
};

export function createRoomService(options: RoomServiceOptions): RoomService & RoomParts {
  const { db, serverName, remote = () => undefined, onlyAdminsPublish = false } = options;
  const { checkAlias, makeAlias } = options;
  const roomNames = createRoomNames(db);
  const core = createRoomCore(options, roomNames);
  const rooms = createFindRooms({ db, roomNames, serverName, remote, makeAlias });
  const elsewhere = createInviteElsewhere(serverName, remote);
  const shared = { ...options, core, rooms, roomNames, remote, elsewhere, carryOver };

  async function carryOver(userId: string, from: string | undefined, to: string): Promise<void> {
    if (from !== undefined && from !== to) await options.carryOver?.(userId, from, to);
  }

  return {
    ...core,
    locate: rooms.locate,
    resolve: rooms.resolve,
    create: createAndInvite({ ...shared, onlyAdminsPublish, checkAlias }),
    ...createMemberships(shared),
    ...createSending(shared),
  };
}
