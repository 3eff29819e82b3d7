import { isRoomAlias, serverNameOf } from '@portico/protocol';
import { createWriteSet, type Database } from '@portico/storage';
import { findMembership } from '@portico/storage/stores/rooms/memberships-read.ts';
import {
  type AliasRow,
  countAliasesOfRoom,
  findAlias,
  removeAlias,
} from '@portico/storage/stores/directory/room-aliases.ts';
import { addAlias } from '@portico/storage/stores/directory/room-directory-write.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { stateDraft } from '../draft.ts';
import type { AppServices } from '../../appservices/app-services.ts';
import type { RoomParts } from '../room-parts.ts';
import type { Plan } from '../room-writer.ts';
import { refuseManyAliases } from './alias-limit.ts';
import { withoutAliases } from './canonical-alias.ts';
import { maySetCanonicalAlias } from './canonical-alias-power.ts';

type Person = {
  readonly userId: string;
  readonly isAdmin: boolean;
  readonly appService?: { readonly id: string };
};

/** The aliases that this server has for rooms. {@link https://spec.matrix.org/v1.19/client-server-api/#room-aliases} */
export interface Aliases {
  /** Makes a member of the room point a new alias at it. */
  set(person: Person, alias: string, roomId: string): Promise<void>;
  get(alias: string): Promise<{ readonly roomId: string; readonly servers: readonly string[] }>;
  /** For who made the alias, who may set the room's canonical alias, and administrators. */
  remove(person: Person, alias: string): Promise<void>;
}

type Dependencies = Pick<RoomParts, 'writer' | 'readState' | 'resolve' | 'locate'> & {
  readonly db: Database;
  readonly serverName: string;
  readonly appServices: AppServices;
};

const maxAliasesOfRoom = 1000;
const canonical = 'm.room.canonical_alias';

export function createAliases(dependencies: Dependencies): Aliases {
  const { db, writer, readState, resolve, locate, serverName, appServices } = dependencies;

  async function getLocal(alias: string): Promise<AliasRow> {
    checkAlias(alias);
    const row = await findAlias(db, alias);
    if (row === undefined) throw new MatrixError('alias.not-found');
    return row;
  }

  async function mayRemove({ userId, isAdmin, appService }: Person, row: AliasRow): Promise<boolean> {
    if (isAdmin || row.creator === userId) return true;
    // "The homeserver needs to give the application service _full control_ over its namespace"
    if (appService !== undefined && appServices.find(appService.id)?.ownsAlias(row.alias) === true) return true;
    return maySetCanonicalAlias(readState, row.room_nid, userId);
  }

  return {
    async set({ userId, isAdmin, appService }, alias, roomId) {
      checkAlias(alias);
      if (serverNameOf(alias) !== serverName) {
        throw new MatrixError('request.invalid-param', { message: `Aliases made here end in :${serverName}.` });
      }
      appServices.checkAlias(alias, appService?.id);
      const { roomNid } = await resolve(roomId);
      // An application service has full control over its namespace, and bridges name rooms that they are not in yet.
      const needsMembership = !isAdmin && appService === undefined;
      if (needsMembership && (await findMembership(db, roomNid, userId))?.membership !== 'join') {
        throw new MatrixError('forbidden', { message: 'You are not in this room.' });
      }
      if ((await countAliasesOfRoom(db, roomNid, maxAliasesOfRoom)) >= maxAliasesOfRoom) {
        throw new MatrixError('alias.too-many');
      }
      await refuseManyAliases(db, { userId, ...(appService && { appService }) });
      const set = createWriteSet();
      addAlias(set, alias, roomNid, userId, 'alias.exists');
      await db.commit(set);
    },
    async get(alias) {
      checkAlias(alias);
      if (serverNameOf(alias) !== serverName) {
        const { roomId, servers } = await locate(alias);
        return { roomId, servers: [...new Set(servers)] };
      }
      checkAlias(alias);
      const { roomId } = await resolve(alias);
      return { roomId, servers: [serverName] };
    },
    async remove(person, alias) {
      const row = await getLocal(alias);
      if (!person.isAdmin) appServices.checkAlias(alias, person.appService?.id);
      if (!(await mayRemove(person, row))) {
        throw new MatrixError('forbidden', { message: 'You may not remove this alias.' });
      }
      // The room's own mention of the alias goes with it, if the person may say so there.
      if (await tryAppend(planRemoval(person.userId, alias), row.room_nid)) return;
      const set = createWriteSet();
      removeAlias(set, alias);
      await db.commit(set);
    },
  };

  async function tryAppend(plan: Plan, roomNid: number): Promise<boolean> {
    try {
      return (await writer.append(roomNid, plan)).events.length > 0;
    } catch (error) {
      if (error instanceof MatrixError && error.reason === 'forbidden') return false;
      throw error;
    }
  }
}

function planRemoval(userId: string, alias: string): Plan {
  return {
    needs: [[canonical, '']],
    drafts({ state }) {
      const left = withoutAliases(state(canonical, '')?.event.content ?? {}, (item) => item === alias);
      return left === undefined ? [] : [stateDraft(userId, canonical, left)];
    },
    alongside: (set) => removeAlias(set, alias),
  };
}

export function checkAlias(alias: string): void {
  if (!isRoomAlias(alias)) throw new MatrixError('request.invalid-param', { message: 'This is not a room alias.' });
}
