import { devicesIn, eventsOf, insider, moderator } from '../choices.ts';
import { type JsonObject, textAt } from '../json.ts';
import type { Device, Room, SentEvent, World } from '../world.ts';
import type { Action } from './action.ts';

const texts = ['hello', 'hi there u0', 'a banana', 'room ping', 'diacritics éà', 'x'.repeat(30), ''];

type Relation = { readonly content: JsonObject; readonly root?: SentEvent };

function mentions(world: World): JsonObject {
  const userIds = [world.pick(world.people).id, world.pick(world.people).id];
  return world.pick([{ user_ids: userIds.slice(0, 1) }, { user_ids: userIds }, { room: true }, {}]);
}

/** How a message is about an earlier one. */
function relationTo(world: World, target: SentEvent, other: SentEvent): Relation {
  const inThread = { rel_type: 'm.thread', event_id: target.id };
  const answer = (to: SentEvent) => ({ 'm.in_reply_to': { event_id: to.id } });
  return world.pick<Relation>([
    { content: { 'm.relates_to': answer(target) } },
    { content: { 'm.relates_to': { ...inThread, is_falling_back: true, ...answer(target) } }, root: target },
    { content: { 'm.relates_to': { ...inThread, is_falling_back: false, ...answer(other) } }, root: target },
    { content: { 'm.relates_to': { rel_type: 'm.reference', event_id: target.id } } },
    {
      content: {
        'm.new_content': { msgtype: 'm.text', body: `edited ${world.next()}` },
        'm.relates_to': { rel_type: 'm.replace', event_id: target.id },
      },
    },
  ]);
}

/** Sends it, and reads it: whether one's own messages count as unread is another question. */
export async function send(
  world: World,
  device: Device,
  room: Room,
  path: readonly string[],
  body: JsonObject,
  root?: SentEvent,
): Promise<boolean> {
  const method = path[0] === 'redact' || path[0] === 'send' ? [...path, `t${world.next()}`] : path;
  const sent = await world.ask(device, 'PUT', ['v3', 'rooms', room.id, ...method], { body });
  if (!sent) return false;
  const id = textAt(sent, 'event_id') ?? '';
  // State that is set twice is one event.
  if (!world.events.some((event) => event.id === id)) {
    const readers = world.people.filter((person) => room.memberships.get(person) === 'join');
    world.events.push({ id, type: path[1] ?? '', sender: device.person, room, root, readers });
  }
  const receipt = root === undefined ? {} : { thread_id: root.id };
  await world.ask(device, 'POST', ['v3', 'rooms', room.id, 'receipt', 'm.read', id], { body: receipt });
  return true;
}

export const say: Action = async (world) => {
  const room = world.pick(world.rooms);
  const earlier = eventsOf(world, room);
  const relation =
    earlier.length > 0 && world.chance(45) ? relationTo(world, world.pick(earlier), world.pick(earlier)) : undefined;
  const content = {
    msgtype: world.pick(['m.text', 'm.text', 'm.emote', 'm.notice']),
    body: world.pick(texts),
    ...(world.chance(25) && { 'm.mentions': mentions(world) }),
    ...relation?.content,
  };
  await send(world, insider(world, room), room, ['send', 'm.room.message'], content, relation?.root);
};

export const react: Action = async (world) => {
  const room = world.pick(world.rooms);
  const earlier = eventsOf(world, room);
  if (earlier.length === 0) return;
  const key = world.pick(['👍', '👎', '🎉']);
  const content = { 'm.relates_to': { rel_type: 'm.annotation', event_id: world.pick(earlier).id, key } };
  await send(world, insider(world, room), room, ['send', 'm.reaction'], content);
};

export const sayEncrypted: Action = async (world) => {
  const room = world.pick(world.rooms);
  const device = insider(world, room);
  const content = {
    algorithm: 'm.megolm.v1.aes-sha2',
    ciphertext: 'abc',
    session_id: 'x',
    device_id: device.id,
    sender_key: 'k',
  };
  await send(world, device, room, ['send', 'm.room.encrypted'], content);
};

export const redact: Action = async (world) => {
  if (world.events.length === 0) return;
  const { id, type, room } = world.pick(world.events);
  // What was redacted already is redacted all the same.
  const reason = world.chance(50) ? { reason: 'oops' } : {};
  const done = await send(world, moderator(world, room), room, ['redact', id], reason);
  if (!done) return;
  world.redacted.add(world.pairing.toSynapse(id));
  if (type === 'm.room.encryption') room.isEncryptionRedacted = true;
};

export const reportEvent: Action = async (world) => {
  if (world.events.length === 0) return;
  const { id, room, readers } = world.pick(world.events);
  // Of what others report Synapse does not look whether they are in the room.
  const inside = devicesIn(world, room).filter(({ person }) => readers.includes(person));
  if (inside.length === 0) return;
  await world.ask(world.pick(inside), 'POST', ['v3', 'rooms', room.id, 'report', id], { body: { reason: 'x' } });
};
