import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol/json/value.ts';
import { isMissing } from './server-problem.ts';
import type { Session } from './session.ts';

function pathOf({ userId }: Session, type: string): string {
  return `_matrix/client/v3/user/${encodeURIComponent(userId)}/account_data/${encodeURIComponent(type)}`;
}

/** What is kept of a type; `undefined` for nothing. */
export async function readAccountData(session: Session, type: string): Promise<JsonObject | undefined> {
  try {
    return await session.ask({ path: pathOf(session, type) });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

export async function writeAccountData(session: Session, type: string, content: JsonObject): Promise<void> {
  await session.ask({ method: 'PUT', path: pathOf(session, type), body: content });
}

/** Whether two values say the same, in whatever order their members are. */
export function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return (
      one.length === other.length && one.every((entry, index) => isSame(entry as JsonValue, other[index] as JsonValue))
    );
  }
  if (!isJsonObject(one) || !isJsonObject(other)) return false;
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => isSame(one[name], other[name]));
}
