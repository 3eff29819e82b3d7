import { namedPowerLevel } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { stateDraft } from '../draft.ts';
import type { Plan, RoomWriter } from '../room-writer.ts';
import { withoutAliases } from '../aliases/canonical-alias.ts';

type PlanOptions = {
  readonly sender: string;
  readonly newRoomId: string;
  readonly alongside: NonNullable<Plan['alongside']>;
};

/** Ends a room with a pointer to the one that replaces it. */
export function planTombstone({ sender, newRoomId, alongside }: PlanOptions): Plan {
  const content = { body: 'This room has been replaced', replacement_room: newRoomId };
  return { needs: [], drafts: () => [stateDraft(sender, 'm.room.tombstone', content)], alongside };
}

const quietLevel = 50;

/**
 * "If possible, the power levels in the old room should also be modified to prevent sending of events and inviting new
 * users. For example, setting `events_default` and `invite` to the greater of `50` and `users_default + 1`."
 */
function planQuiet(sender: string): Plan {
  const type = 'm.room.power_levels';
  return {
    needs: [[type, '']],
    drafts({ head, state }) {
      const current = state(type, '')?.event;
      const level = (name: 'events_default' | 'invite' | 'users_default') => namedPowerLevel(head.rules, current, name);
      const quiet = Math.max(quietLevel, level('users_default') + 1);
      if (current === undefined || (level('events_default') >= quiet && level('invite') >= quiet)) return [];
      const content = {
        ...current.content,
        events_default: Math.max(level('events_default'), quiet),
        invite: Math.max(level('invite'), quiet),
      };
      return [stateDraft(sender, type, content)];
    },
  };
}

/** The old room no longer claims aliases that have moved on. */
function planAliasesGone(sender: string, isMoved: (alias: string) => boolean): Plan {
  const type = 'm.room.canonical_alias';
  return {
    needs: [[type, '']],
    drafts({ state }) {
      const left = withoutAliases(state(type, '')?.event.content ?? {}, isMoved);
      return left === undefined ? [] : [stateDraft(sender, type, left)];
    },
  };
}

/** Does to a room that has been replaced what the person who replaced it may do; the rest is left as it is. */
export async function quietenRoom(
  writer: RoomWriter,
  roomNid: number,
  sender: string,
  isMoved: (alias: string) => boolean,
): Promise<void> {
  for (const plan of [planAliasesGone(sender, isMoved), planQuiet(sender)]) {
    try {
      await writer.append(roomNid, plan);
    } catch (error) {
      if (!(error instanceof MatrixError) || error.reason !== 'forbidden') throw error;
    }
  }
}
