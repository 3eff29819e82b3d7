/** The events that the answer to a transaction says were refused, and why. `pdus`: whatever the answer has of that name. */
export function refusedEvents(pdus: unknown): readonly (readonly [eventId: string, reason: string])[] {
  if (!isRecord(pdus)) return [];
  return Object.entries(pdus).flatMap(([eventId, result]) => {
    const reason = isRecord(result) ? result['error'] : undefined;
    return typeof reason === 'string' ? [[eventId, reason.slice(0, 500)] as const] : [];
  });
}

function isRecord(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
