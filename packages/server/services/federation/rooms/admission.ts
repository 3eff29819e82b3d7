import type { Reader } from '@portico/storage';
import { admissionKeysOf, findAdmission, refusalOf } from '../../rooms/membership/restricted-join.ts';
import type { ReadState } from '../../rooms/read-state.ts';
import type { FederatedRoom } from './federated-rooms.ts';

/**
 * Who of this server lets a person of another one into a room; nobody has to where the room is not restricted, or the
 * person is invited. Throws if this server cannot let them in.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#restricted-rooms}
 */
export function createAdmission(
  reader: Reader,
  readState: ReadState,
  serverName: string,
): (room: Pick<FederatedRoom, 'roomNid'>, userId: string) => Promise<string | undefined> {
  return async ({ roomNid }, userId) => {
    const state = await readState(roomNid, admissionKeysOf(userId));
    const membership = state.state('m.room.member', userId)?.content['membership'];
    if (membership === 'invite' || membership === 'join') return undefined;
    const admission = await findAdmission(reader, state, userId, serverName);
    if (admission.kind === 'admitted') return admission.by;
    const refusal = refusalOf(admission);
    if (refusal !== undefined) throw refusal;
    return undefined;
  };
}
