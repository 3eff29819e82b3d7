import { MatrixError } from '../../../errors/matrix-error.ts';
import type { StepCommitter } from '../commit-steps.ts';
import type { RoomHeads } from '../heads.ts';
import type { RoomPolicy } from '../policy/room-policy.ts';
import type { Prepared } from './prepare.ts';
import type { ReceivingRoom, SoftFailure } from './received-event.ts';

/**
 * Check 7: "Is validated by the Policy Server, if the room is using a Policy Server, otherwise it is "soft failed"."
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu}
 */
export type ApplyPolicy = (room: ReceivingRoom, prepared: Prepared) => Promise<Prepared | SoftFailure>;

export const policyRule = 'policy_server';

type Dependencies = {
  readonly heads: RoomHeads;
  readonly policy: RoomPolicy;
  readonly committer: StepCommitter;
};

export function createApplyPolicy({ heads, policy, committer }: Dependencies): ApplyPolicy {
  return async (room, prepared) => {
    const { event, pieces } = prepared.received;
    try {
      const head = heads.current(room.roomNid) ?? (await heads.load(room.roomNid));
      if (head === undefined) throw new Error(`room ${room.roomNid} does not exist`);
      const signed = await policy.signPieces(head, event, pieces);
      return signed === pieces ? prepared : { ...prepared, stored: { ...prepared.stored, ...signed } };
    } catch (error) {
      if (error instanceof MatrixError) return { rule: policyRule, reason: error.message };
      committer.settle([prepared], false);
      throw error;
    }
  };
}
