import { createWriteSet, type Database } from '@portico/storage';
import {
  changeAppServiceMembers,
  clearAppServiceMembers,
  readAccounts,
  readJoinedRooms,
  setAppServiceNamespaces,
} from '@portico/storage/stores/app-services/app-service-members.ts';
import type { Lease } from '@portico/storage/stores/app-services/app-services.ts';
import type { AppService } from '../app-service.ts';

/** Users that are looked at in one go. */
const perPage = 500;

/**
 * Finds the rooms of the users in whom a service is interested, for one that is new or whose namespaces have changed.
 *
 * They are found as they are now, while the service may be behind: the changes that it has still to be told of are then
 * found to have happened, or happen again.
 */
export async function findMembersAnew(db: Database, service: AppService, lease: () => Lease): Promise<void> {
  const start = createWriteSet();
  setAppServiceNamespaces(start, service.id, '', lease());
  clearAppServiceMembers(start, service.id);
  await db.commit(start);
  for (let after = ''; ;) {
    const page = await readAccounts(db, after, perPage);
    const last = page.at(-1);
    if (last === undefined) break;
    const joined = await readJoinedRooms(db, page.filter(service.matchesUser));
    const set = createWriteSet();
    setAppServiceNamespaces(set, service.id, '', lease());
    changeAppServiceMembers(set, service.id, { joined, left: [] });
    await db.commit(set);
    after = last;
  }
  const end = createWriteSet();
  setAppServiceNamespaces(end, service.id, service.userNamespaces, lease());
  await db.commit(end);
}
