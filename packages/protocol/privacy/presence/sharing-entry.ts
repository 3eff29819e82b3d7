import { isGlob } from '../../glob.ts';
import { maxIdentifierBytes } from '../../ids/identifier.ts';
import { isRoomId } from '../../ids/room-id.ts';
import { isUserId } from '../../ids/user-id.ts';
import { utf8Length } from '../../json/code-points.ts';
import type { JsonValue } from '../../json/value.ts';

/** What an entry of `allowed_users` or `denied_users` names; `undefined` where it can match neither a person nor a room. */
export type SharingEntry =
  | { readonly kind: 'user' | 'room'; readonly id: string }
  /** With as few stars as say the same. */
  | { readonly kind: 'glob'; readonly glob: string };

export function parseSharingEntry(entry: JsonValue): SharingEntry | undefined {
  if (typeof entry !== 'string') return undefined;
  if (entry.startsWith('!')) return isRoomId(entry) ? { kind: 'room', id: entry } : undefined;
  if (!isGlob(entry)) return isUserId(entry) ? { kind: 'user', id: entry } : undefined;
  const glob = globOf(entry);
  return glob === undefined ? undefined : { kind: 'glob', glob };
}

/** A pattern with as few stars as say the same; `undefined` if it can match nobody: user IDs begin with `@` and have at most 255 bytes. */
function globOf(entry: string): string | undefined {
  if (!/^[@*?]/.test(entry)) return undefined;
  const glob = entry.replaceAll(/\*{2,}/g, '*');
  // Between two stars stands something.
  if (glob.length <= maxIdentifierBytes) return glob;
  if (glob.length > 2 * maxIdentifierBytes + 1) return undefined;
  return utf8Length(glob.replaceAll('*', '')) <= maxIdentifierBytes ? glob : undefined;
}
