import type { JsonObject } from '@portico/protocol';
import { recipientsPerEntry, type Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import type { Merge } from '../../federation/sender/outbox.ts';
import { nothingToSee, presenceContent, type PresenceView } from '../view.ts';

/** Presence of many people goes to a server in one EDU; receivers do not look at any number of entries. */
export const mergePushes: Merge = {
  perEdu: 50,
  weigh: (content) => pushesIn(content).length,
  merge: (contents) => ({ push: contents.flatMap((content) => pushesIn(content)) }),
};

function pushesIn(content: JsonObject): JsonObject[] {
  return Array.isArray(content['push']) ? (content['push'] as JsonObject[]) : [];
}

/**
 * One person's presence for those on a server who may see it: an entry for at most 256 recipients each. For everyone the
 * field is left out, and an empty list would mean everyone, so there must be somebody.
 */
export function pushContent(userId: string, view: PresenceView, recipients: Recipients, now: number): JsonObject {
  const push = { ...presenceContent(view, now), user_id: userId };
  if (recipients.kind === 'everyone') return { push: [push] };
  if (recipients.kind === 'nobody') throw new Error('There is nobody to send this presence to');
  const chunks: JsonObject[] = [];
  for (let start = 0; start < recipients.recipients.length; start += recipientsPerEntry) {
    const part = recipients.recipients.slice(start, start + recipientsPerEntry);
    chunks.push({ ...push, allowed_recipients: [...part] });
  }
  return { push: chunks };
}

/** What those get who lose sight of somebody: no status, no activity. */
export function lastContent(userId: string, lost: Recipients, now: number): JsonObject {
  return pushContent(userId, nothingToSee, lost, now);
}
