/** Lets what happens to a room happen in order, and to different rooms at the same time. */
export interface RoomQueues {
  run<T>(roomId: string, work: () => Promise<T>): Promise<T>;
}

export function createRoomQueues(): RoomQueues {
  const last = new Map<string, Promise<unknown>>();
  return {
    run(roomId, work) {
      const before = last.get(roomId) ?? Promise.resolve();
      const result = before.then(work, work);
      const settled = result
        .catch(() => undefined)
        .finally(() => {
          if (last.get(roomId) === settled) last.delete(roomId);
        });
      last.set(roomId, settled);
      return result;
    },
  };
}
