import { createWriteSet, type Database } from '@portico/storage';
import { setAppServices } from '@portico/storage/stores/app-services/app-services.ts';
import { ensureOwnAccount } from '../../accounts/open-account.ts';
import type { AppServices } from '../app-services.ts';
import { createDelivery, type Delivery, type DeliveryDependencies } from './delivery.ts';

/** Brings all application services what interests them. */
export interface Deliveries {
  heardOf(id: string): void;
  /** Somebody has begun or ended typing in a room. */
  typingChanged(roomNid: number): void;
  /** What people's presence is has changed. */
  presenceChanged(userIds: readonly string[]): void;
  close(): Promise<void>;
}

/** Notes which services there are, and makes their own users. */
export async function registerAppServices(db: Database, { all }: AppServices, now: number): Promise<void> {
  const set = createWriteSet();
  for (const { sender } of all) ensureOwnAccount(set, sender, now);
  const receiving = all.filter(({ url }) => url !== undefined).map(({ id }) => id);
  setAppServices(set, receiving, db.currentPosition());
  await db.commit(set);
}

export function createDeliveries(deps: DeliveryDependencies, { all }: AppServices): Deliveries {
  const deliveries = new Map<string, Delivery>();
  const ephemeral: Delivery[] = [];
  for (const service of all) {
    if (service.url === undefined) continue;
    const delivery = createDelivery(deps, service);
    deliveries.set(service.id, delivery);
    if (service.receivesEphemeral) ephemeral.push(delivery);
    delivery.wake();
  }
  return {
    heardOf: (id) => deliveries.get(id)?.heardOf(),
    typingChanged(roomNid) {
      for (const { passing, wake } of ephemeral) {
        passing.typing.add(roomNid);
        wake();
      }
    },
    presenceChanged(userIds) {
      for (const { passing, wake } of ephemeral) {
        for (const userId of userIds) passing.presence.add(userId);
        wake();
      }
    },
    async close() {
      await Promise.all([...deliveries.values()].map((delivery) => delivery.close()));
    },
  };
}
