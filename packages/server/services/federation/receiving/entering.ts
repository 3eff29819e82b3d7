/** Rooms that this server is about to be in, by way of other servers. */
export interface Entering {
  /** Notes that a room is being entered, until that has ended one way or the other. */
  during<T>(roomId: string, entered: Promise<T>): Promise<T>;
  /** Resolves when the room has been entered, or could not be; `undefined` if it is not being entered. */
  ended(roomId: string): Promise<unknown> | undefined;
}

export function createEntering(): Entering {
  const rooms = new Map<string, Promise<unknown>>();
  return {
    async during(roomId, entered) {
      const end = entered.catch(() => undefined);
      rooms.set(roomId, end);
      try {
        return await entered;
      } finally {
        if (rooms.get(roomId) === end) rooms.delete(roomId);
      }
    },
    ended: (roomId) => rooms.get(roomId),
  };
}
