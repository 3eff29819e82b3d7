import { enter, type Person } from './client.ts';
import { picture } from './picture.ts';

const password = 'portico';

const cast = [
  { name: 'ada', displayName: 'Ada', colours: ['#4464a1', '#9ad1d4'] },
  { name: 'bela', displayName: 'Béla', colours: ['#b5446e', '#f2c14e'] },
  { name: 'chiyo', displayName: '千代', colours: ['#3f7d20', '#d8e4bc'] },
  { name: 'dmitri', displayName: 'Dmitri', colours: ['#6b2d5c', '#f0eff4'] },
] as const;

const talk = [
  'Has anybody read the draft?',
  'Half of it. The second part is better than the first.',
  'I left some remarks on page three.',
  'Shall we meet on Thursday?',
  'Thursday is fine. I bring the cake.',
  'Then it is settled.',
];

/** Fills an empty server with people who talk; leaves one alone that has them. */
export async function populate(
  baseUrl: string,
): Promise<{ readonly names: readonly string[]; readonly password: string }> {
  const entered = [];
  for (const { name } of cast) entered.push(await enter(baseUrl, name, password));
  const people = entered.map(({ person }) => person);
  if (entered.every(({ isNew }) => isNew)) {
    for (const [index, person] of people.entries()) await introduce(person, index);
    await furnish(people);
  }
  return { names: cast.map(({ name }) => name), password };
}

async function introduce(person: Person, index: number): Promise<void> {
  const { displayName, colours } = cast[index] ?? cast[0];
  const avatar = await person.upload(await picture(256, 256, colours[0], colours[1]), 'image/png');
  const profile = `profile/${encodeURIComponent(person.userId)}`;
  await person.call('PUT', `${profile}/displayname`, { displayname: displayName });
  await person.call('PUT', `${profile}/avatar_url`, { avatar_url: avatar });
}

async function furnish(people: readonly Person[]): Promise<void> {
  const [ada, bela, ...others] = people;
  if (ada === undefined || bela === undefined) return;
  const lobby = await makeRoom(ada, {
    preset: 'public_chat',
    visibility: 'public',
    name: 'Lobby',
    room_alias_name: 'lobby',
  });
  const reading = await makeRoom(bela, {
    preset: 'public_chat',
    visibility: 'public',
    name: 'Reading circle',
    topic: 'One book a month',
  });
  for (const person of [bela, ...others]) await join(person, lobby);
  for (const person of [ada, ...others]) await join(person, reading);
  await converse(people, lobby);
  await threadIn(people, reading);
  await showPicture(bela, lobby);
  const space = await makeRoom(ada, {
    preset: 'public_chat',
    name: 'The house',
    creation_content: { type: 'm.space' },
  });
  for (const child of [lobby, reading]) {
    const key = `m.space.child/${encodeURIComponent(child)}`;
    await ada.call('PUT', `rooms/${encodeURIComponent(space)}/state/${key}`, { via: ['localhost'] });
  }
  const direct = await makeRoom(ada, { preset: 'trusted_private_chat', is_direct: true, invite: [bela.userId] });
  await join(bela, direct);
  await ada.say(direct, text('Just between us: the cake is from the bakery.'));
  const quiet = await makeRoom(bela, {
    preset: 'private_chat',
    name: 'Surprise',
    invite: others.map(({ userId }) => userId),
  });
  await bela.say(quiet, text('Do not tell Ada.'));
}

async function makeRoom(person: Person, request: Readonly<Record<string, unknown>>): Promise<string> {
  return (await person.call('POST', 'createRoom', request))['room_id'] ?? '';
}

async function join(person: Person, roomId: string): Promise<void> {
  await person.call('POST', `join/${encodeURIComponent(roomId)}`, {});
}

async function converse(people: readonly Person[], roomId: string): Promise<void> {
  for (const [index, line] of talk.entries()) {
    const speaker = people[index % people.length];
    const eventId = await speaker?.say(roomId, text(line));
    const relation = { rel_type: 'm.annotation', event_id: eventId, key: '👍' };
    const reaction = `rooms/${encodeURIComponent(roomId)}/send/m.reaction/dev-${Date.now()}-${index}`;
    if (index % 3 === 1) await people[0]?.call('PUT', reaction, { 'm.relates_to': relation });
  }
}

async function threadIn(people: readonly Person[], roomId: string): Promise<void> {
  const root = await people[1]?.say(roomId, text('Which book is next? Suggestions in the thread, please.'));
  for (const [index, title] of ['Middlemarch', 'The Master and Margarita', 'The Makioka Sisters'].entries()) {
    const relation = {
      rel_type: 'm.thread',
      event_id: root,
      is_falling_back: true,
      'm.in_reply_to': { event_id: root },
    };
    await people[index + 1]?.say(roomId, { ...text(title), 'm.relates_to': relation });
  }
}

async function showPicture(person: Person, roomId: string): Promise<void> {
  const bytes = await picture(960, 540, '#264653', '#e9c46a');
  const url = await person.upload(bytes, 'image/png');
  const info = { w: 960, h: 540, mimetype: 'image/png', size: bytes.byteLength };
  await person.say(roomId, { msgtype: 'm.image', body: 'sunset.png', url, info });
}

function text(body: string): { readonly msgtype: string; readonly body: string } {
  return { msgtype: 'm.text', body };
}
