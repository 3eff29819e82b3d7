import type { ErrorEntry } from '../error-entry.ts';

/** Rooms: entering and leaving them, what is in them, their aliases. */
export const roomErrors = {
  'room.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such room here.' },
  'room.blocked': { errcode: 'M_FORBIDDEN', status: 403, message: 'This server has nothing to do with this room.' },
  'room.unsupported-version': {
    errcode: 'M_UNSUPPORTED_ROOM_VERSION',
    status: 400,
    message: 'This server does not support the room version.',
  },
  'room.incompatible-version': {
    errcode: 'M_INCOMPATIBLE_ROOM_VERSION',
    status: 400,
    message: 'Your server does not support the version of this room.',
  },
  'member.not-banned': { errcode: 'M_BAD_STATE', status: 403, message: 'This person is not banned from the room.' },
  'room.not-left': { errcode: 'M_UNKNOWN', status: 400, message: 'You have not left this room.' },
  'room.invalid-state': {
    errcode: 'M_INVALID_ROOM_STATE',
    status: 400,
    message: 'The room would begin in a state that its rules do not allow.',
  },
  'alias.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such room alias.' },
  'alias.taken': { errcode: 'M_ROOM_IN_USE', status: 400, message: 'This room alias is taken.' },
  'alias.exists': { errcode: 'M_UNKNOWN', status: 409, message: 'This room alias is taken.' },
  'alias.bad': { errcode: 'M_BAD_ALIAS', status: 400, message: 'The alias does not point at this room.' },
  'alias.too-many': { errcode: 'M_FORBIDDEN', status: 403, message: 'This room has too many aliases.' },
  'alias.too-many-of-yours': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'You have made too many aliases; remove some first.',
  },
  'join.unable-to-authorise': {
    errcode: 'M_UNABLE_TO_AUTHORISE_JOIN',
    status: 400,
    message: 'This server cannot tell whether you meet the conditions of the room.',
  },
  'join.unable-to-grant': {
    errcode: 'M_UNABLE_TO_GRANT_JOIN',
    status: 400,
    message: 'Nobody of this server who is in the room may let you in.',
  },
  'event.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such event in this room.' },
  'event.malformed': { errcode: 'M_BAD_JSON', status: 400, message: 'No event of this type can say this.' },
  'relation.duplicate': {
    errcode: 'M_DUPLICATE_ANNOTATION',
    status: 400,
    message: 'You have reacted to this event in this way already.',
  },
  'relation.nested-thread': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'A thread cannot start at an event that relates to another one.',
  },
  'report.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such report.' },
  'report.too-many': {
    errcode: 'M_USER_LIMIT_EXCEEDED',
    status: 403,
    message: 'You have reported too much; the administrators have not caught up yet.',
  },
  'delayed-event.not-found': { errcode: 'M_NOT_FOUND', status: 404, message: 'There is no such delayed event.' },
  'delayed-event.finalised': {
    errcode: 'M_UNKNOWN',
    status: 409,
    message: 'The delayed event has been sent or cancelled already.',
  },
  /** What clients in use know from the first form of the proposal. */
  'delayed-event.too-late': {
    errcode: 'M_UNKNOWN',
    status: 400,
    message: 'The delay is longer than this server keeps events for.',
  },
  'delayed-event.too-large': {
    errcode: 'M_DELAY_TOO_LARGE',
    status: 400,
    message: 'The delay is longer than this server keeps events for.',
  },
  'delayed-event.too-large-unstable': {
    errcode: 'ORG.MATRIX.MSC4140_DELAY_TOO_LARGE',
    status: 400,
    message: 'The delay is longer than this server keeps events for.',
  },
  'delayed-event.too-many': {
    errcode: 'M_LIMIT_EXCEEDED',
    status: 429,
    message: 'You have too many delayed events already.',
  },
  'server-notice.cannot-leave': {
    errcode: 'M_CANNOT_LEAVE_SERVER_NOTICE_ROOM',
    status: 403,
    message: 'You cannot reject an invitation to the room where the server speaks to you.',
  },
} as const satisfies Record<string, ErrorEntry>;
