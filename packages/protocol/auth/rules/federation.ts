import type { RoomEvent } from '../../events/pdu.ts';
import { reject, type AuthReject } from '../decision.ts';
import { domainOf } from '../../ids/identifier.ts';

/**
 * Rule 3, since room version 12 rule 4: "If the `content` of the `m.room.create` event in the room state has the property
 * `m.federate` set to `false`, and the `sender` domain of the event does not match the `sender` domain of the create
 * event, reject."
 *
 * {@link https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules}
 */
export function checkFederation(event: RoomEvent, create: RoomEvent): AuthReject | undefined {
  if (create.content['m.federate'] !== false || domainOf(event.sender) === domainOf(create.sender)) return undefined;
  return reject('room.not_federated', 'the room is open to users of one server only');
}
