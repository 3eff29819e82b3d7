import { isSticky, type RoomEvent, type RoomVersionRules, serverNameOf } from '@portico/protocol';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import type { StoredPduRow } from '@portico/storage/stores/federation/federation-rooms.ts';
import { type ErasedSenders, peopleIn } from '../../reading/erased-senders.ts';
import type { StateEvents } from '../../rooms/state-events.ts';

/** What servers may see of the rooms that they are in. */
export interface ServerSight {
  /**
   * Those of a room's events that a server may see, by their IDs: where the room's history is open, and those at which one of
   * its people was joined, or invited where that is enough. Membership counts at the event, whatever it is now. What people
   * said who had it erased is shown as it was to servers that had somebody in the room then, and redacted to others.
   *
   * Sticky events are for all who are in the room: "History visibility checks MUST NOT be applied to sticky events."
   * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
   */
  judge(
    origin: string,
    rules: RoomVersionRules,
    rows: readonly StoredPduRow[],
  ): Promise<ReadonlyMap<string, 'yes' | 'redacted'>>;
}

type Dependencies = {
  readonly states: StateStore;
  readonly stateEvents: StateEvents;
  readonly erased: ErasedSenders;
  readonly now: () => number;
};
type Visibility = 'open' | 'invited' | 'joined';
/** How many people of the server there were in a state. */
type Present = { readonly root: StateRoot; join: number; invite: number };

export function createServerSight({ states, stateEvents, erased, now }: Dependencies): ServerSight {
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
    async judge(origin, rules, rows) {
      const erasedPeople = await erased.among(rows.flatMap(peopleIn));
      const verdicts = new Map<string, Verdict>();
      const answers = new Map<string, 'yes' | 'redacted'>();
      let present: Present | undefined;
      for (const row of rows) {
        const rootId = row.state_after ?? row.state_before;
        if (rootId === null) continue;
        const senderErased = peopleIn(row).some((person) => erasedPeople.has(person));
        if (!senderErased && isSticky(row.sticky_until ?? 0, now())) {
          answers.set(row.event_id, 'yes');
          continue;
        }
        const key = `${rootId} ${senderErased}`;
        let verdict = verdicts.get(key);
        if (verdict === undefined) {
          const root = await states.root(rootId).run();
          const visibility = await visibilityAt(rules, root);
          if (visibility !== 'open' || senderErased) {
            present = present ? await recount(origin, rules, present, root) : await count(origin, rules, root);
          }
          verdicts.set(key, (verdict = verdictFor(visibility, present, senderErased)));
        }
        if (verdict !== 'no') answers.set(row.event_id, verdict);
      }
      return answers;
    },
  };
}

type Verdict = 'yes' | 'redacted' | 'no';

function verdictFor(visibility: Visibility, present: Present | undefined, senderErased: boolean): Verdict {
  const { join = 0, invite = 0 } = present ?? {};
  if (visibility !== 'open' && join + (visibility === 'invited' ? invite : 0) === 0) return 'no';
  return senderErased && join === 0 ? 'redacted' : 'yes';
}
