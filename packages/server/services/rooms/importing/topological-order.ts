/**
 * Events in an order in which each comes after its auth events, as far as those are among them. Events that are in a circle,
 * which no honest server can make, are left out.
 */
export function inAuthOrder<E extends { readonly eventId: string; readonly authEvents: readonly string[] }>(
  events: readonly E[],
): E[] {
  const byId = new Map(events.map((event) => [event.eventId, event]));
  const waitsFor = new Map<string, number>();
  const awaited = new Map<string, E[]>();
  const ready: E[] = [];
  for (const event of byId.values()) {
    const within = new Set(event.authEvents.filter((eventId) => byId.has(eventId)));
    waitsFor.set(event.eventId, within.size);
    if (within.size === 0) ready.push(event);
    for (const eventId of within) {
      const waiting = awaited.get(eventId);
      if (waiting === undefined) awaited.set(eventId, [event]);
      else waiting.push(event);
    }
  }
  // What is taken from the front makes others ready, which go to the end: no recursion, however long the chain.
  for (let at = 0; at < ready.length; at++) {
    const eventId = ready[at]?.eventId ?? '';
    for (const event of awaited.get(eventId) ?? []) {
      const left = (waitsFor.get(event.eventId) ?? 0) - 1;
      waitsFor.set(event.eventId, left);
      if (left === 0) ready.push(event);
    }
  }
  return ready;
}
