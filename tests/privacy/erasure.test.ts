import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openRawDatabase, type RawColumn, type RawDatabase } from '@portico/testkit/raw-database.ts';
import { startTestServer, type TestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import sharp from 'sharp';
import { erase } from './erase.ts';
import { personColumn } from './person-column.ts';

const v3 = '/_matrix/client/v3';
/** Is in everything that the person stores with the server, and in nothing that they say in rooms. */
const secret = 'Xyzzy7';

/** Where the person may still be found afterwards, and why. */
const remains: Readonly<Record<string, string>> = {
  'accounts.user_id': 'so that nobody else is ever given the name',
  'erasures.user_id': 'the report of the erasure',
  'account_jobs.user_id':
    'until it has been looked once more, a while later; and until joins that were under way are settled',
  'events.sender': 'what the person said, for those who were there',
  'events.state_key': "the person's memberships are part of the state of rooms",
  'events.before_content': 'as the sender; keys of signatures',
  'events.after_content': 'as the sender',
  'events.content': 'mentions by others, and power levels',
  'memberships.user_id': 'that they have left',
  'membership_changes.user_id': 'when they were there, which decides what they and others may see',
  'current_state.state_key': 'that they have left is part of the state',
  'presence_sightings.person': 'whom others were shown as online, until they are shown that this is over',
  'presence_told.user_id': 'which servers were told that they are online, until these have taken that this is over',
  'relations.sender': 'as the events that these are the relations of',
  'relations.annotation_key': 'as the events',
  'device_lists.user_id': 'that their devices have changed, for those who knew them',
  'to_device_messages.sender': 'letters to others, which are theirs until they are fetched',
  'app_service_members.user_id': 'until the application service has been told that they left',
  'remote_device_lists.user_id': "is of other servers' people",
  'stored_edu_hosts.sender': 'whose what other servers still have to be told is',
  'stored_edus.content': 'what other servers still have to be told',
  'changes.entries': 'what processes tell each other, for minutes',
};

/** Tables that the server itself fills in the test, or in which a made-up row would mean something. */
const notSeeded: ReadonlySet<string> = new Set([
  'accounts',
  'account_jobs',
  'erasures',
  'memberships',
  'events',
  'media',
]);

/** Gives each column in which people are a row of the person, whatever the table is for. */
async function seed(raw: RawDatabase, userId: string, roomNid: number): Promise<void> {
  const tables = Map.groupBy(await raw.columns(), ({ table }) => table);
  let unique = 5_000_000;
  const valueOf = ({ column, type }: RawColumn, person: string): string | number => {
    if (column === person) return userId;
    if (column === 'room_nid') return roomNid;
    unique += 1;
    if (type === 'number') return unique;
    return JSON.stringify(`made up ${unique}`);
  };
  for (const [table, columns] of tables) {
    if (notSeeded.has(table)) continue;
    for (const { column: person } of columns.filter(
      ({ column, type }) => type === 'text' && personColumn.test(column),
    )) {
      const filled = columns.filter(({ type }) => type !== 'other');
      const places = filled.map((_, index) => `$${index + 1}`);
      const values = filled.map((column) => valueOf(column, person));
      await raw.run(
        `insert into ${table} (${filled.map(({ column }) => column).join(', ')}) values (${places.join(', ')})
         on conflict do nothing`,
        values,
      );
    }
  }
}

/** Every column in which one of the texts is found. */
async function find(raw: RawDatabase, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const { table, column, type } of await raw.columns()) {
    if (type !== 'text') continue;
    for (const text of texts) {
      const rows = await raw.run(
        `select 1 as found from ${table} where replace(coalesce(${column}, ''), $1, '') <> coalesce(${column}, '') limit 1`,
        [text],
      );
      if (rows.length > 0) found.push(`${table}.${column}`);
    }
  }
  return [...new Set(found)].toSorted();
}

async function upload(server: TestServer, by: TestClient, body: Buffer, name: string): Promise<string> {
  const response = await fetch(`${server.baseUrl}/_matrix/media/v3/upload?filename=${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${by.accessToken}`, 'content-type': 'image/png' },
    body: new Uint8Array(body),
  });
  return ((await response.json()) as { content_uri: string }).content_uri;
}

const done = async (response: Promise<{ status: number; body: unknown }>) => {
  const { status, body } = await response;
  assert.equal(status, 200, JSON.stringify(body));
};

/** Does, and has done to them, most of what there is to do. */
async function live(server: TestServer, alice: TestClient, bob: TestClient): Promise<string> {
  const { userId } = alice;
  await done(alice.put(`${v3}/profile/${userId}/displayname`, { displayname: `Alice ${secret}` }));
  const image = await sharp({ create: { width: 300, height: 300, channels: 3, background: '#123456' } })
    .png()
    .toBuffer();
  const avatar = await upload(server, alice, image, `${secret}.png`);
  await upload(server, alice, Buffer.from(`a letter about ${secret}`), 'letter.txt');
  const thumbnail = `/_matrix/client/v1/media/thumbnail/${avatar.slice('mxc://'.length)}?width=32&height=32&method=crop`;
  const shown = await fetch(server.baseUrl + thumbnail, { headers: { authorization: `Bearer ${alice.accessToken}` } });
  assert.equal(shown.status, 200);
  await done(alice.put(`${v3}/profile/${userId}/avatar_url`, { avatar_url: avatar }));
  const roomId = String((await bob.post(`${v3}/createRoom`, { preset: 'public_chat' })).body['room_id']);
  const room = `${v3}/rooms/${encodeURIComponent(roomId)}`;
  await done(alice.post(`${room}/join`, {}));
  const sent = await alice.put(`${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' });
  const eventId = encodeURIComponent(String(sent.body['event_id']));
  await done(alice.post(`${room}/receipt/m.read/${eventId}`, {}));
  await done(alice.put(`${v3}/user/${userId}/account_data/org.example.notes`, { notes: secret }));
  await done(alice.put(`${v3}/user/${userId}/rooms/${encodeURIComponent(roomId)}/account_data/m.tag`, { tags: {} }));
  await done(alice.post(`${v3}/user/${userId}/filter`, { event_fields: [secret] }));
  await done(alice.put(`${v3}/pushrules/global/content/${secret}`, { pattern: secret, actions: ['notify'] }));
  await done(alice.put(`${v3}/devices/${alice.deviceId}`, { display_name: secret }));
  await done(alice.put(`${v3}/directory/room/${encodeURIComponent('#alices:localhost')}`, { room_id: roomId }));
  await done(alice.post(`${room}/report/${eventId}`, { reason: 'mine' }));
  await done(alice.post(`${v3}/user/${userId}/openid/request_token`, {}));
  await done(bob.put(`${v3}/sendToDevice/org.example/1`, { messages: { [userId]: { '*': { text: secret } } } }));
  await done(bob.post(`${v3}/createRoom`, { invite: [userId] }));
  const redacted = await alice.put(`${room}/send/m.room.message/2`, { msgtype: 'm.text', body: `oops ${secret}` });
  await done(alice.put(`${room}/redact/${encodeURIComponent(String(redacted.body['event_id']))}/3`, {}));
  await bob.post(`${v3}/user_directory/search`, { search_term: 'Alice' });
  return roomId;
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`of somebody who is erased, only what is known to remain is left (${engine})`, async (context) => {
    let server = await startTestServer({ engine });
    const { dataDir, databaseUrl } = server;
    context.after(() => rmSync(dataDir, { recursive: true, force: true }));
    const [alice, bob] = [await server.registerUser('alice'), await server.registerUser('bob')];
    const roomId = await live(server, alice, bob);
    await server.stop();

    const before = await look(databaseUrl, async (raw) => {
      const [room] = await raw.run('select room_nid from rooms where room_id = $1', [roomId]);
      await seed(raw, alice.userId, Number(room?.['room_nid']));
      return find(raw, [alice.userId, secret]);
    });
    assert.ok(before.includes('profile_fields.value') && before.includes('media.upload_name'));

    server = await startTestServer({ engine, dataDir, databaseUrl });
    // What is stored of them once in a while is not stored afterwards.
    const status = { presence: 'online', status_msg: secret };
    await done(server.as(alice).put(`${v3}/presence/${alice.userId}/status`, status));
    const counts = await erase(server, server.as(alice));
    await server.stop();
    assert.equal(counts['media'], 2);
    assert.ok((counts['account-data'] ?? 0) >= 3, JSON.stringify(counts));

    const after = await look(databaseUrl, (raw) => find(raw, [alice.userId, secret]));
    assert.deepEqual(
      after.filter((column) => remains[column] === undefined),
      [],
      'a table keeps something of a person who is erased: add it to erasureSteps, or say here why it remains',
    );
    // What was under way when the account ended, and was stored after that, is found when it looks once more.
    await look(databaseUrl, async (raw) => {
      const [room] = await raw.run('select room_nid from rooms where room_id = $1', [roomId]);
      await seed(raw, alice.userId, Number(room?.['room_nid']));
    });
    server = await startTestServer({ engine, dataDir, databaseUrl, now: () => Date.now() + 20 * 60_000 });
    await look(databaseUrl, (raw) =>
      until(async () => (await raw.run('select 1 from account_jobs', [])).length === 0, 'it has looked once more'),
    );
    await server.stop();
    const inTheEnd = await look(databaseUrl, (raw) => find(raw, [alice.userId, secret]));
    assert.deepEqual(
      inTheEnd.filter((column) => remains[column] === undefined),
      [],
      'a table may be written after an account has ended, and is not in erasureSteps',
    );
    const inFolder = readdirSync(join(dataDir, 'media'), { recursive: true, withFileTypes: true });
    assert.deepEqual(
      inFolder.filter((entry) => entry.isFile()).map(({ name }) => name),
      [],
    );
    assert.deepEqual(server.errors, []);
  });
}

test('what is erased is not left behind in the file of the database', async (context) => {
  const server = await startTestServer();
  context.after(() => rmSync(server.dataDir, { recursive: true, force: true }));
  const alice = await server.registerUser('alice');
  for (let count = 0; count < 50; count++) {
    const notes = { notes: `${secret} `.repeat(200) };
    await done(alice.put(`${v3}/user/${alice.userId}/account_data/org.example.notes${count}`, notes));
  }
  const file = join(server.dataDir, 'portico.db');
  const lookInFile = async () => {
    await look(server.databaseUrl, (raw) => raw.run('pragma wal_checkpoint(truncate)', []));
    return readFileSync(file, 'latin1').includes(secret);
  };
  assert.equal(await lookInFile(), true);
  await erase(server, alice);
  await server.stop();
  assert.equal(await lookInFile(), false);
});

async function look<T>(url: string, what: (raw: RawDatabase) => Promise<T>): Promise<T> {
  const raw = await openRawDatabase(url);
  try {
    return await what(raw);
  } finally {
    await raw.close();
  }
}
