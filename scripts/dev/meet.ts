import { enter } from './client.ts';
import type { DevServer } from './server.ts';

const password = 'portico';
const neighbour = 'esi';
const aliasName = 'across';

/** Brings people of two servers together in a room, unless they are there already. */
export async function meet(
  here: Pick<DevServer, 'baseUrl' | 'serverName'>,
  there: Pick<DevServer, 'baseUrl' | 'serverName'>,
): Promise<{ readonly neighbour: string; readonly alias: string }> {
  const alias = `#${aliasName}:${here.serverName}`;
  const [{ person: ada }, { person: esi, isNew }] = await Promise.all([
    enter(here.baseUrl, 'ada', password),
    enter(there.baseUrl, neighbour, password),
  ]);
  if (isNew) {
    const path = `profile/${encodeURIComponent(esi.userId)}/displayname`;
    await esi.call('PUT', path, { displayname: 'Esi' });
    const created = await ada.call('POST', 'createRoom', {
      preset: 'public_chat',
      name: 'Across the fence',
      room_alias_name: aliasName,
    });
    const roomId = created['room_id'] ?? '';
    await ada.say(roomId, { msgtype: 'm.text', body: 'Is anybody there?' });
    await esi.call('POST', `join/${encodeURIComponent(alias)}`, {});
    await esi.say(roomId, { msgtype: 'm.text', body: 'I am, from the server next door.' });
  }
  return { neighbour, alias };
}
