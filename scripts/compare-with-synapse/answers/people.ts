import { type JsonObject, textAt } from './json.ts';
import { bothOf, serverName } from './servers.ts';
import type { Person, World } from './world.ts';

const password = 'side by side, twice';

/** Makes an account with a device on both servers. */
export async function register(world: World, name: string): Promise<void> {
  const localpart = `${name}-of-${world.seed}`;
  const person = { name, localpart, id: `@${localpart}:${serverName}` };
  world.people.push(person);
  await enter(world, person, 'D0', ['register'], { username: localpart, auth: { type: 'm.login.dummy' } });
}

/** Logs somebody in on a device, which may be known already. */
export async function logIn(world: World, person: Person, deviceId: string): Promise<void> {
  const before = world.devices.findIndex((device) => device.person === person && device.id === deviceId);
  if (before !== -1) world.devices.splice(before, 1);
  const identifier = { type: 'm.id.user', user: person.localpart };
  await enter(world, person, deviceId, ['login'], { type: 'm.login.password', identifier });
}

async function enter(world: World, person: Person, deviceId: string, path: readonly string[], body: JsonObject) {
  const tokens = await bothOf(async (side) => {
    const { status, body: session } = await world.calls[side]({
      method: 'POST',
      path: `/_matrix/client/v3/${path.join('/')}`,
      body: { ...body, password, device_id: deviceId, initial_device_display_name: `device ${deviceId}` },
    });
    if (status !== 200) throw new Error(`${side}: ${person.id} cannot enter: ${status} ${JSON.stringify(session)}`);
    return textAt(session, 'access_token') ?? '';
  });
  world.addDevice(person, deviceId, tokens);
}
