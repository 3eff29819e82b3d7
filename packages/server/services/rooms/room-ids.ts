/** The numbers that storage knows rooms by, in memory: they never change. */
export interface RoomIds {
  find(roomId: string): Promise<number | undefined> | number | undefined;
}

export function createRoomIds(read: (roomId: string) => Promise<number | undefined>, maxRooms = 50_000): RoomIds {
  const nids = new Map<string, number>();
  return {
    find(roomId) {
      const known = nids.get(roomId);
      if (known !== undefined) return known;
      return read(roomId).then((roomNid) => {
        if (roomNid === undefined) return undefined;
        nids.set(roomId, roomNid);
        if (nids.size > maxRooms) nids.delete(nids.keys().next().value ?? roomId);
        return roomNid;
      });
    },
  };
}
