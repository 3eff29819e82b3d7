import type { JsonObject, JsonValue } from '@portico/protocol/json/value.ts';
import { isSame } from '../server/account-data.ts';
import type { StoredEvents } from './stored-events.ts';

/** One thing that a person changes in their settings. Whatever it does not speak of stays as it was written. */
export type Edit = { readonly type: string } & (
  | { readonly kind: 'add'; readonly list: string; readonly entry: string }
  | { readonly kind: 'remove'; readonly list: string; readonly entry: JsonValue }
  /** `undefined` leaves the member out. */
  | { readonly kind: 'set'; readonly name: string; readonly value: JsonValue | undefined }
);

/** The entries of a list; `undefined` where there is something else instead. */
export function listIn(content: JsonObject | undefined, list: string): readonly JsonValue[] | undefined {
  if (content === undefined || !Object.hasOwn(content, list)) return [];
  const value = content[list];
  return Array.isArray(value) ? (value as readonly JsonValue[]) : undefined;
}

export function applyEdits(events: StoredEvents, edits: readonly Edit[]): StoredEvents {
  const next = new Map(events);
  for (const edit of edits) {
    const before = next.get(edit.type);
    const after = applyEdit(before ?? {}, edit);
    if (!isSame(before ?? {}, after)) next.set(edit.type, after);
  }
  return next;
}

function applyEdit(content: JsonObject, edit: Edit): JsonObject {
  if (edit.kind === 'set') {
    const { [edit.name]: _old, ...others } = content;
    return edit.value === undefined ? others : { ...others, [edit.name]: edit.value };
  }
  const entries = listIn(content, edit.list);
  // There is nothing to add to, and nothing to take away from.
  if (entries === undefined) return content;
  const others = entries.filter((entry) => !isSame(entry, edit.entry));
  if (edit.kind === 'remove') return others.length === entries.length ? content : { ...content, [edit.list]: others };
  return others.length < entries.length ? content : { ...content, [edit.list]: [...entries, edit.entry] };
}
