import { isJsonObject, type JsonObject, type JsonValue } from '../json/value.ts';
import { isUserId } from '../ids/user-id.ts';
import { exceedsUtf8 } from '../json/code-points.ts';
import { maxFieldBytes } from './limits.ts';

export type StrippedStateEvent = {
  readonly type: string;
  readonly state_key: string;
  readonly sender: string;
  readonly content: JsonObject;
};

/**
 * > Servers cannot pass through what they receive over federation to clients as stripped state. Servers are expected to
 * > prune the events into the stripped state schema
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#stripped-state}
 *
 * `undefined` for what has not even the four fields; such an event must not reach `/sync`, where it would break clients.
 */
export function parseStrippedStateEvent(value: JsonValue): StrippedStateEvent | undefined {
  if (!isJsonObject(value)) return undefined;
  const { type, state_key, sender, content } = value;
  if (!isShortString(type) || !isShortString(state_key)) return undefined;
  if (typeof sender !== 'string' || !isUserId(sender) || !isJsonObject(content)) return undefined;
  return { type, state_key, sender, content };
}

function isShortString(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && !exceedsUtf8(value, maxFieldBytes);
}
