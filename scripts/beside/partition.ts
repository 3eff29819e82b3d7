import assert from 'node:assert/strict';
import { enter, type Person } from '../dev/client.ts';
import { room, until } from './until.ts';

/** Both hold back what could not be sent a few times. */
const patience = 150_000;
const rounds = 12;
const forModerators: Levels = { 'm.room.power_levels': 70, 'm.room.history_visibility': 70 };

type Side = { readonly server: { readonly baseUrl: string; readonly serverName: string }; readonly person: Person };
type Levels = Readonly<Record<string, number>>;
type Between = { cut(): void; mend(): void };
type StateEvent = {
  readonly type: string;
  readonly state_key: string;
  readonly event_id: string;
  readonly sender: string;
  readonly content: Readonly<Record<string, unknown>>;
};

async function stateOf(person: Person, roomId: string): Promise<ReadonlyMap<string, StateEvent>> {
  const events = (await person.call('GET', room(roomId, 'state'))) as unknown as readonly StateEvent[];
  return new Map(events.map((event) => [`${event.type} ${event.state_key}`, event]));
}

const asText = (state: ReadonlyMap<string, StateEvent>): readonly string[] =>
  [...state]
    .map(([key, { event_id: id, sender, content }]) => `${key} ${id} ${sender} ${JSON.stringify(content)}`)
    .toSorted();
const idsOf = (state: ReadonlyMap<string, StateEvent>): string =>
  [...state]
    .map(([key, event]) => `${key} ${event.event_id}`)
    .toSorted()
    .join('\n');

/**
 * A room that people of both servers go on with while these cannot reach one another, each in their own way. When they can,
 * both come to the same state, and everybody has what those have said whom nobody had put out. `isResolved`: whether that can be
 * said of somebody who came back while the others closed the room.
 */
export async function goApart(
  host: Side,
  guest: Side,
  between: Between,
  version: string,
  isResolved: boolean,
): Promise<void> {
  const mark = `${version}-${Date.now()}`;
  const mate = async (side: Side, name: string): Promise<Person> =>
    (await enter(side.server.baseUrl, `${name}-${mark}`, 'side by side')).person;
  const [here, there] = [host.person, guest.person];
  const [hugh, hanna, harry] = [await mate(host, 'hugh'), await mate(host, 'hanna'), await mate(host, 'harry')];
  const [gus, gina, greta] = [await mate(guest, 'gus'), await mate(guest, 'gina'), await mate(guest, 'greta')];
  const all = [here, hugh, hanna, harry, there, gus, gina, greta];
  const body = { preset: 'public_chat', room_version: version, name: 'Together' };
  const { room_id: roomId = '' } = await here.call('POST', 'createRoom', body);
  const via = `server_name=${host.server.serverName}&via=${host.server.serverName}`;
  for (const person of all.slice(1)) await person.call('POST', `join/${encodeURIComponent(roomId)}?${via}`, {});
  const setPower = async (by: Person, more: Levels): Promise<void> => {
    const powers = (await by.call('GET', room(roomId, 'state/m.room.power_levels/'))) as Record<string, unknown>;
    const users = { ...(powers['users'] as Levels | undefined), ...more };
    const events = { ...(powers['events'] as Levels | undefined), ...forModerators };
    await by.call('PUT', room(roomId, 'state/m.room.power_levels/'), { ...powers, users, events });
  };
  await setPower(here, { [there.userId]: 80, [hugh.userId]: 60, [gus.userId]: 60 });
  const agree = async (what: string): Promise<ReadonlyMap<string, StateEvent>> => {
    let [ours, theirs] = [await stateOf(here, roomId), await stateOf(there, roomId)];
    await until(
      what,
      async () => {
        [ours, theirs] = [await stateOf(here, roomId), await stateOf(there, roomId)];
        return idsOf(ours) === idsOf(theirs) ? true : undefined;
      },
      patience,
    ).catch((error: unknown) => {
      assert.deepEqual(asText(theirs), asText(ours), 'the state of the guest, and of the host');
      throw error;
    });
    return ours;
  };
  const hears = (person: Person, eventId: string) =>
    until(
      `${person.userId} hears ${eventId}`,
      () => person.call('GET', room(roomId, `event/${encodeURIComponent(eventId)}`)),
      patience,
    );
  const together = await agree('they agree in the beginning');
  assert.equal([...together.keys()].filter((key) => key.startsWith('m.room.member ')).length, all.length);

  /** By those whom nobody puts out. */
  const said: string[] = [];
  const nameOneself = async (person: Person, name: string): Promise<unknown> =>
    person.call('PUT', room(roomId, `state/m.room.member/${encodeURIComponent(person.userId)}`), {
      membership: 'join',
      displayname: name,
    });
  const put = (by: Person, what: 'kick' | 'ban', whom: Person) =>
    by.call('POST', room(roomId, what), { user_id: whom.userId });
  between.cut();
  try {
    for (let round = 0; round < rounds; round += 1) {
      for (const person of [here, hugh, there, gus]) {
        const eventId = await person.say(roomId, { msgtype: 'm.text', body: `apart: ${round}` });
        if (person !== gus) said.push(eventId);
      }
      if (round % 4 === 1) {
        await here.call('PUT', room(roomId, 'state/m.room.topic/'), { topic: `of the host: ${round}` });
        await there.call('PUT', room(roomId, 'state/m.room.topic/'), { topic: `of the guest: ${round}` });
      }
    }
    await Promise.all([nameOneself(hugh, 'Hugh, apart'), nameOneself(gina, 'Gina, apart')]);
    // Each puts out somebody who goes on where nobody knows of it yet.
    await put(here, 'ban', gina);
    await put(there, 'kick', hanna);
    await nameOneself(gina, 'Gina, still here');
    await hanna.say(roomId, { msgtype: 'm.text', body: 'out, and not knowing' });
    // The same with those who have some power.
    await put(here, 'kick', gus);
    await gus.call('PUT', room(roomId, 'state/m.room.name/'), { name: 'By somebody who is out' });
    await setPower(here, { [harry.userId]: 30 });
    await setPower(there, { [greta.userId]: 40, [gus.userId]: 70 });
    await here.call('PUT', room(roomId, 'state/m.room.join_rules/'), { join_rule: 'invite' });
    await there.call('PUT', room(roomId, 'state/m.room.history_visibility/'), { history_visibility: 'joined' });
    await Promise.all([harry, greta].map((person) => person.call('POST', room(roomId, 'leave'), {})));
    if (isResolved) await greta.call('POST', room(roomId, 'join'), {});
    // Neither knows of the other.
    assert.notEqual(idsOf(await stateOf(here, roomId)), idsOf(await stateOf(there, roomId)));
  } finally {
    between.mend();
  }
  // Some servers try again only when there is something else to send.
  const words: string[] = [];
  for (const person of [here, there])
    words.push(await person.say(roomId, { msgtype: 'm.text', body: 'there you are' }));
  for (const person of [here, there]) for (const eventId of words) await hears(person, eventId);
  const state = await agree('they agree when they are together again');
  for (const person of [gina, harry, hanna]) {
    const { membership } = state.get(`m.room.member ${person.userId}`)?.content ?? {};
    assert.equal(membership, person === gina ? 'ban' : 'leave', person.userId);
  }
  for (const eventId of said) for (const person of [here, there]) await hears(person, eventId);
  // And so they go on.
  await here.call('PUT', room(roomId, 'state/m.room.topic/'), { topic: 'together again' });
  for (const person of [here, there, hugh]) {
    const eventId = await person.say(roomId, { msgtype: 'm.text', body: 'so' });
    for (const other of [here, there]) await hears(other, eventId);
  }
  await agree('they still agree');
}
