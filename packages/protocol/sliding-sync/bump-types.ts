/**
 * > "Proper" activity is defined as an event being received is one of the following types
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186}
 */
export const bumpTypes: ReadonlySet<string> = new Set([
  'm.room.create',
  'm.room.message',
  'm.room.encrypted',
  'm.sticker',
  'm.call.invite',
  'm.poll.start',
  'org.matrix.msc3381.poll.start',
  'm.beacon_info',
  'org.matrix.msc3672.beacon_info',
]);
