import { isJsonObject, type JsonValue, parseJson } from '@portico/protocol';
import type { Database } from '@portico/storage';
import {
  readMoved,
  readNames,
  readOpenness,
  setDirectoryUsers,
  setOpenRoom,
  type DirectoryUser,
  type NamedUserRow,
  type OpennessRow,
} from '@portico/storage/stores/directory/user-directory.ts';
import { createCatchUp, type CatchUp, type Portion } from '../catch-up/catch-up.ts';
import { lastWhole } from '../catch-up/last-whole.ts';
import { nameWords } from './name-words.ts';

const changesPerPortion = 1000;

/** Keeps the directory up to date with who is in rooms, what they are called, and which rooms anyone may join or read. */
export function createDirectoryUpdates(options: {
  readonly db: Database;
  readonly serverName: string;
  readonly onFailure: (error: unknown) => void;
}): CatchUp {
  const { db, serverName, onFailure } = options;
  /** People whose profile changed. Their rooms will hear of it, which is work of its own; this is sooner. */
  let renamed = new Set<string>();

  async function work(after: number, upTo: number): Promise<Portion> {
    const changed = renamed;
    renamed = new Set();
    const moved = await readMoved(db, after, upTo, changesPerPortion);
    const reached = moved.length < changesPerPortion ? upTo : lastWhole(moved, after, upTo);
    for (const { position, user_id: userId } of moved) if (position <= reached) changed.add(userId);
    const rooms = await readOpenness(db, after, reached, serverName);
    const nidsOf = (open: boolean): number[] =>
      rooms
        .filter((row) => isOpen(row) === open && (row.is_open === 1) !== open)
        .map(({ room_nid: roomNid }) => roomNid);
    const [opened, closed] = [nidsOf(true), nidsOf(false)];
    const userIds = [...changed];
    const users = (await readNames(db, userIds, { opened, closed })).map(toUser);
    return {
      reached,
      append(set) {
        for (const roomNid of opened) setOpenRoom(set, roomNid, true);
        for (const roomNid of closed) setOpenRoom(set, roomNid, false);
        setDirectoryUsers(set, userIds, users);
      },
    };
  }

  const stop = db.onChanges((batches) => {
    for (const { changes } of batches) {
      for (const { kind, key } of changes) if (kind === 'profile') renamed.add(String(key));
    }
  });
  const catchUp = createCatchUp({
    db,
    name: 'user-directory',
    work,
    onFailure,
    hasMore: () => renamed.size > 0,
    concerns: (kind) => kind === 'membership' || kind === 'profile',
  });
  return {
    settled: catchUp.settled,
    close() {
      stop();
      return catchUp.close();
    },
  };
}

/**
 * > the homeserver MUST at a minimum consider […] users who are joined to rooms known to the homeserver that have a `public`
 * > join rule [and] users who are joined to rooms known to the homeserver that have a `world_readable` history visibility
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3user_directorysearch}
 *
 * What becomes of a room that the last of this server's people has left is not known here.
 */
function isOpen({ join_rules: rules, history_visibility: visibility, is_ours: isOurs }: OpennessRow): boolean {
  if (isOurs === 0) return false;
  return valueIn(rules, 'join_rule') === 'public' || valueIn(visibility, 'history_visibility') === 'world_readable';
}

function valueIn(text: string | null, name: string): JsonValue | undefined {
  const content = text === null ? undefined : parseJson(text);
  return isJsonObject(content) ? content[name] : undefined;
}

function toUser(row: NamedUserRow): DirectoryUser {
  const { user_id: userId } = row;
  const { displayName, avatarUrl } = row.is_local === 1 ? ownProfile(row) : memberProfile(row);
  const words = new Set([...nameWords(userId), ...(displayName === undefined ? [] : nameWords(displayName))]);
  return { userId, displayName, avatarUrl, words: [...words] };
}

type Profile = { readonly displayName: string | undefined; readonly avatarUrl: string | undefined };

function ownProfile({ display_name: name, avatar_url: avatar }: NamedUserRow): Profile {
  return { displayName: textOf(name), avatarUrl: textOf(avatar) };
}

function memberProfile({ member_content: content }: NamedUserRow): Profile {
  const member = content === null ? undefined : parseJson(content);
  if (!isJsonObject(member)) return { displayName: undefined, avatarUrl: undefined };
  const { displayname, avatar_url: avatar } = member;
  return {
    displayName: typeof displayname === 'string' ? storable(displayname) : undefined,
    avatarUrl: typeof avatar === 'string' ? storable(avatar) : undefined,
  };
}

function textOf(json: string | null): string | undefined {
  const value = json === null ? undefined : parseJson(json);
  return typeof value === 'string' ? storable(value) : undefined;
}

/** PostgreSQL has no texts with the null character. */
function storable(text: string): string {
  return text.replaceAll('\0', '');
}
