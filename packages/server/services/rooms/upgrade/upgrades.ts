import { upgradeRoom, type UpgradeDependencies, type UpgradeRequest } from './upgrade-room.ts';

/** Room upgrades. {@link https://spec.matrix.org/v1.19/client-server-api/#room-upgrades} */
export interface Upgrades {
  /** Returns the ID of the room that replaces the old one. */
  upgrade(userId: string, roomId: string, request: UpgradeRequest): Promise<string>;
}

export function createUpgrades(dependencies: UpgradeDependencies): Upgrades {
  // A request that is sent again while the first one is at work gets the same room.
  const running = new Map<string, Promise<string>>();
  return {
    upgrade(userId, roomId, request) {
      const key = JSON.stringify([userId, roomId, request.new_version]);
      const known = running.get(key);
      if (known !== undefined) return known;
      const made = upgradeRoom(dependencies, userId, roomId, request).finally(() => running.delete(key));
      running.set(key, made);
      return made;
    },
  };
}
