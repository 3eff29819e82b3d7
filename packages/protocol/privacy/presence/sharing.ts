import type { JsonObject, JsonValue } from '../../json/value.ts';
import { runSteps } from '../../steps.ts';
import { emptySharingList, sharingListSteps, type SharingList } from './sharing-list.ts';

/** {@link https://github.com/matrix-org/matrix-spec-proposals/blob/9132b6900/proposals/4325-presence-privacy.md} */
export const sharingTypes = {
  stable: 'm.presence_sharing_config',
  unstable: 'events.matrix-community.presence_sharing_config',
} as const;

/** The lists of a configuration. */
export const sharingLists = ['allowed_users', 'denied_users'] as const;

export type SharingLists = { readonly allowed: SharingList; readonly denied: SharingList };

/** What a person has set. With a list that is none, nobody can say what they meant: then it is shared with nobody. */
export type PresenceSharing = ({ readonly kind: 'lists' } & SharingLists) | { readonly kind: 'malformed' };

export const emptySharing: SharingLists = { allowed: emptySharingList, denied: emptySharingList };

/** Of a list, what is no text is passed over, whatever it is; and what is no list makes all of it malformed. */
type SharingContent = {
  readonly [name: string]: JsonValue | readonly (JsonValue | null)[] | undefined;
};

/** Reads the content of a sharing configuration. Yields between steps: it may be as large as account data may be. */
export function* presenceSharingSteps(content: SharingContent): Generator<void, PresenceSharing, void> {
  const allowed = content['allowed_users'];
  const denied = content['denied_users'];
  if (!isListOrAbsent(allowed) || !isListOrAbsent(denied)) return { kind: 'malformed' };
  return {
    kind: 'lists',
    allowed: yield* sharingListSteps(allowed ?? []),
    denied: yield* sharingListSteps(denied ?? []),
  };
}

export function parsePresenceSharing(content: JsonObject): PresenceSharing {
  return runSteps(presenceSharingSteps(content));
}

type Content = SharingContent[string];

function isListOrAbsent(value: Content): value is readonly JsonValue[] | undefined {
  return value === undefined || Array.isArray(value);
}

/**
 * The content without a room, or `undefined` if neither list names it. Everything else stays as it was written.
 *
 * > Servers SHOULD […] remove rooms from either allow or denied list when the user leaves the room.
 */
export function withoutRooms(content: JsonObject, rooms: ReadonlySet<string>): JsonObject | undefined {
  const changed: { [key: string]: JsonValue } = {};
  for (const key of sharingLists) {
    const list = content[key];
    if (!Array.isArray(list)) continue;
    const kept = list.filter((entry) => !(typeof entry === 'string' && rooms.has(entry)));
    if (kept.length < list.length) changed[key] = kept;
  }
  return Object.keys(changed).length === 0 ? undefined : { ...content, ...changed };
}
