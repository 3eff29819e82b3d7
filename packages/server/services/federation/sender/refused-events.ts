/** What is kept of a name, which is an event ID if the server is honest, and of what is said about it. */
const longestName = 255;
const longestReason = 500;

/**
 * The events that the answer to a transaction says were refused, and why. `pdus`: whatever the answer has of that name. `sent`: how
 * many there were, so that no answer says more than that.
 */
export function refusedEvents(pdus: unknown, sent: number): readonly (readonly [eventId: string, reason: string])[] {
  if (!isRecord(pdus)) return [];
  const refused: (readonly [eventId: string, reason: string])[] = [];
  for (const eventId in pdus) {
    if (refused.length >= sent) break;
    const result = pdus[eventId];
    const reason = isRecord(result) ? result['error'] : undefined;
    if (typeof reason === 'string') refused.push([eventId.slice(0, longestName), reason.slice(0, longestReason)]);
  }
  return refused;
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
