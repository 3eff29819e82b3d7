import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createRoom, join, must, refusal } from '@portico/testkit/people.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { openPageOf } from '../../testing/logged-in.ts';

const stable = 'm.invite_permission_config';
const lists = 'org.matrix.msc4155.invite_permission_config';
const block = 'org.matrix.msc4380.invite_permission_config';
const dataPath = (who: TestClient, type: string): string =>
  `/_matrix/client/v3/user/${encodeURIComponent(who.userId)}/account_data/${type}`;
const keep = (who: TestClient, type: string, content: object) => must(who.put(dataPath(who, type), content));
const kept = async (who: TestClient, type: string): Promise<unknown> => {
  const { status, body } = await who.get(dataPath(who, type));
  return status === 200 ? body : undefined;
};

suite('invitations, on the account page', async () => {
  const policy = JSON.stringify({ blocked_servers: ['banned.example'] });
  const server = await startTestServer({ settings: { PRIVACY_INVITES: policy } });
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });
  const invite = (by: TestClient, roomId: string, whom: TestClient) =>
    by.post(`/_matrix/client/v3/rooms/${encodeURIComponent(roomId)}/invite`, { user_id: whom.userId });

  test('a person sets who may invite them, tries it before and after saving, and it holds', async (context) => {
    const [alice, bob] = [await server.registerUser(), await server.registerUser()];
    const room = await createRoom(bob, { name: 'Dance' });
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.press('Invitations');
    await page.reads('Whoever runs the server has set rules for everyone');
    const tryIt = async (who: string, words: string): Promise<void> => {
      await page.type('The address of a person', who, 'Try it');
      await page.press('Try', 'Try it');
      await page.reads(words);
    };
    await tryIt(bob.userId, 'Their invitations reach you: nothing you have set speaks of them.');
    await tryIt('bob', 'That is not the address of a person');
    await page.type('A person or a server', bob.userId, 'Refuse');
    await page.press('Add', 'Refuse');
    await tryIt(
      bob.userId,
      `With your changes, which are not saved yet: They cannot invite you, and are told so: ${bob.userId} is among the people you refuse.`,
    );
    await tryIt(
      '@x:banned.example',
      'With your changes, which are not saved yet: They cannot invite you, and are told so: whoever runs the server',
    );
    assert.equal(await kept(alice, stable), undefined);
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, stable), { blocked_users: [bob.userId] });
    assert.equal(await refusal(invite(bob, room, alice)), '403 M_INVITE_BLOCKED');
    await tryIt(bob.userId, `They cannot invite you, and are told so: ${bob.userId} is among the people you refuse.`);

    await page.press(`Remove ${bob.userId}`);
    await page.tick('Only those I always let in');
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, stable), { blocked_users: [], default_action: 'block' });
    await tryIt(bob.userId, 'They cannot invite you, and are told so: you let nobody in but those you allow.');
    await page.tick('Everyone, except those I ignore or refuse');
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, stable), { blocked_users: [] });
    await must(invite(bob, room, alice));
  });

  test('what older names say is shown together, and each is changed where it was written', async (context) => {
    const alice = await server.registerUser();
    await keep(alice, lists, { blocked_servers: ['*.evil.example'], allowed_users: ['@friend:localhost'], own: 1 });
    await keep(alice, block, { default_action: 'block' });
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.press('Invitations');
    await page.reads('everyone at *.evil.example');
    await page.press('Remove everyone at *.evil.example');
    await page.type('A person or a server', 'bad.example:8448', 'Ignore quietly');
    await page.press('Add', 'Ignore quietly');
    await page.tick('Everyone, except those I ignore or refuse');
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, lists), {
      blocked_servers: [],
      allowed_users: ['@friend:localhost'],
      own: 1,
      ignored_servers: ['bad.example'],
    });
    // What is empty is gone.
    assert.deepEqual([await kept(alice, block), await kept(alice, stable)], [undefined, undefined]);
    await page.press('Remove @friend:localhost');
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, lists), {
      blocked_servers: [],
      allowed_users: [],
      own: 1,
      ignored_servers: ['bad.example'],
    });
  });

  test('lists that count for nothing are said to, and can be put right', async (context) => {
    const alice = await server.registerUser();
    await keep(alice, stable, { enabled: false, blocked_users: ['@a:localhost'] });
    await keep(alice, lists, { ignored_users: ['@b:localhost', 7] });
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.press('Invitations');
    await page.reads('The lists below are switched off');
    await page.reads('As long as it is there, they count for nothing.');
    await page.press('Switch them on');
    await page.press('Take out what cannot be understood');
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, stable), { enabled: true, blocked_users: ['@a:localhost'] });
    assert.deepEqual(await kept(alice, lists), { ignored_users: ['@b:localhost'] });
  });

  test('invitations that are not answered can be declined, one or all, hidden ones if wanted', async (context) => {
    const [alice, bob, pest] = [await server.registerUser(), await server.registerUser(), await server.registerUser()];
    const rooms: string[] = [];
    for (const [by, name] of [
      [bob, 'Dance'],
      [bob, 'Dinner'],
      [pest, 'Prizes'],
    ] as const) {
      const room = await createRoom(by, { name });
      await must(invite(by, room, alice));
      rooms.push(room);
    }
    const stays = await createRoom(alice, { name: 'Home' });
    await keep(alice, stable, { ignored_users: [pest.userId] });
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.press('Invitations');
    await page.reads('Invitations I have not answered (3)');
    await page.reads('Hidden by your rules.');
    await page.press(`Decline Dance from ${bob.userId}`);
    await page.reads('Invitations I have not answered (2)');
    await page.press('Decline all …');
    await page.reads('Those who invited you will see that you declined.');
    await page.tick('Also those that my rules hide');
    await page.press('Decline all invitations');
    await page.reads('Invitations I have not answered (0)');
    const membership = async (by: TestClient, roomId: string | undefined): Promise<unknown> =>
      (
        await by.get(
          `/_matrix/client/v3/rooms/${encodeURIComponent(roomId ?? '')}/state/m.room.member/${encodeURIComponent(alice.userId)}`,
        )
      ).body['membership'];
    await until(async () => (await membership(pest, rooms[2])) === 'leave', 'the hidden one is declined, too');
    assert.deepEqual([await membership(bob, rooms[0]), await membership(bob, rooms[1])], ['leave', 'leave']);
    assert.equal(await membership(alice, stays), 'join');
    await join(alice, String(rooms[0]));
  });
});
