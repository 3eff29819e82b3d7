import { type JsonObject, textAt } from '../json.ts';
import type { Device, World } from '../world.ts';
import { anyone } from '../choices.ts';
import type { Action } from './action.ts';

const base = ['v3', 'room_keys'];

const secret = (number: number): JsonObject => ({ ciphertext: `c${number}`, ephemeral: 'e', mac: 'm' });

function keyOf(world: World): JsonObject {
  return {
    first_message_index: world.roll(3),
    forwarded_count: world.roll(2),
    is_verified: world.chance(50),
    session_data: secret(world.next()),
  };
}

async function changeVersion(world: World, device: Device): Promise<void> {
  const body = {
    algorithm: 'm.megolm_backup.v1.curve25519-aes-sha2',
    auth_data: { public_key: `p${world.next()}`, signatures: {} },
  };
  const present = await world.ask(device, 'GET', [...base, 'version']);
  const version = textAt(present, 'version') ?? '7';
  if (version === '7' || world.chance(15)) await world.ask(device, 'POST', [...base, 'version'], { body });
  else if (world.chance(60)) await world.ask(device, 'PUT', [...base, 'version', version], { body });
  else await world.ask(device, 'DELETE', [...base, 'version', version]);
}

/** Keeps keys of rooms on the server, and looks at them. */
export const backUp: Action = async (world) => {
  const device = anyone(world);
  if (world.chance(25)) return changeVersion(world, device);
  const present = await world.ask(device, 'GET', [...base, 'version']);
  const version = world.chance(90) ? (textAt(present, 'version') ?? '1') : '99';
  const room = world.pick(world.rooms).id;
  const session = world.pick(['one', 'two', 'three']);
  const path = [...base, 'keys', ...world.pick([[], [room], [room, session]])];
  const sessions = { sessions: { [session]: keyOf(world) } };
  const body = [{ rooms: { [room]: sessions } }, sessions, keyOf(world)][path.length - base.length - 1] ?? {};
  const query = { version };
  if (world.chance(60)) await world.ask(device, 'PUT', path, { query, body });
  if (world.chance(10)) await world.ask(device, 'DELETE', path, { query });
  await world.ask(device, 'GET', path, { query });
};
