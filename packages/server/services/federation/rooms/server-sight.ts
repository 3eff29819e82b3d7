import { type RoomEvent, type RoomVersionRules, serverNameOf } from '@portico/protocol';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { StoredPduRow } from '@portico/storage/stores/federation-rooms.ts';
import type { StateEvents } from '../../rooms/state-events.ts';

/** What servers may see of the rooms that they are in. */
export interface ServerSight {
  /**
   * The IDs of those of a room's events that a server may see: where the room's history is open, and those at which one of
   * its people was joined, or invited where that is enough. Membership counts at the event, whatever it is now.
   */
  visibleTo(origin: string, rules: RoomVersionRules, rows: readonly StoredPduRow[]): Promise<ReadonlySet<string>>;
}

type Dependencies = { readonly states: StateStore; readonly stateEvents: StateEvents };
type Visibility = 'open' | 'invited' | 'joined';
/** How many people of the server there were in a state. */
type Present = { readonly root: StateRoot; join: number; invite: number };

export function createServerSight({ states, stateEvents }: Dependencies): ServerSight {
  async function visibilityAt(rules: RoomVersionRules, root: StateRoot): Promise<Visibility> {
    const nid = await states.get(root, 'm.room.history_visibility', '').run();
    const set = nid === undefined ? undefined : (await stateEvents.load(rules, [nid])).get(nid);
    const visibility = set?.event.content['history_visibility'];
    return visibility === 'joined' || visibility === 'invited' ? visibility : 'open';
  }

  function add(present: Present, origin: string, event: RoomEvent | undefined, step: 1 | -1): void {
    if (event === undefined || serverNameOf(event.stateKey ?? '') !== origin) return;
    const { membership } = event.content;
    if (membership === 'join' || membership === 'invite') present[membership] += step;
  }

  async function count(origin: string, rules: RoomVersionRules, root: StateRoot): Promise<Present> {
    const present = { root, join: 0, invite: 0 };
    for await (const nids of states.events(root, { only: 'm.room.member' })) {
      for (const { event } of (await stateEvents.load(rules, nids)).values()) add(present, origin, event, 1);
    }
    return present;
  }

  /** From one state to the next the count follows the difference. */
  async function recount(origin: string, rules: RoomVersionRules, from: Present, root: StateRoot): Promise<Present> {
    const differences = await states.diff(from.root, root, { only: 'm.room.member' }).run();
    const nids = differences.flatMap(({ before, after }) => [before, after]).filter((nid) => nid !== undefined);
    const events = await stateEvents.load(rules, nids);
    const present = { root, join: from.join, invite: from.invite };
    for (const { before, after } of differences) {
      add(present, origin, events.get(before ?? -1)?.event, -1);
      add(present, origin, events.get(after ?? -1)?.event, 1);
    }
    return present;
  }

  return {
    async visibleTo(origin, rules, rows) {
      const verdicts = new Map<number, boolean>();
      const visible = new Set<string>();
      let present: Present | undefined;
      for (const row of rows) {
        const rootId = row.state_after ?? row.state_before;
        if (rootId === null) continue;
        let verdict = verdicts.get(rootId);
        if (verdict === undefined) {
          const root = await states.root(rootId).run();
          const visibility = await visibilityAt(rules, root);
          if (visibility !== 'open') {
            present = present ? await recount(origin, rules, present, root) : await count(origin, rules, root);
          }
          verdict =
            visibility === 'open' ||
            (present !== undefined && present.join + (visibility === 'invited' ? present.invite : 0) > 0);
          verdicts.set(rootId, verdict);
        }
        if (verdict) visible.add(row.event_id);
      }
      return visible;
    },
  };
}
