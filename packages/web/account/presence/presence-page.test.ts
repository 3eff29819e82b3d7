import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createRoom, join, must } from '@portico/testkit/people.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import type { TestClient } from '@portico/testkit/test-client.ts';
import { until } from '@portico/testkit/until.ts';
import { openPageOf } from '../../testing/logged-in.ts';

const stable = 'm.presence_sharing_config';
const unstable = 'events.matrix-community.presence_sharing_config';
const dataPath = (who: TestClient, type: string): string =>
  `/_matrix/client/v3/user/${encodeURIComponent(who.userId)}/account_data/${type}`;
const keep = (who: TestClient, type: string, content: object) => must(who.put(dataPath(who, type), content));
const kept = async (who: TestClient, type: string): Promise<unknown> => {
  const { status, body } = await who.get(dataPath(who, type));
  return status === 200 ? body : undefined;
};

suite('who can see me, on the account page', async () => {
  const server = await startTestServer();
  after(async () => {
    await server.close();
    assert.deepEqual(server.errors, []);
  });
  const sees = async (who: TestClient, whom: TestClient): Promise<boolean> =>
    (await who.get(`/_matrix/client/v3/presence/${encodeURIComponent(whom.userId)}/status`)).status === 200;
  const people = (count: number) => Promise.all(Array.from({ length: count }, () => server.registerUser()));

  test('a person says who sees them, is shown what that changes, saves it, and others see that', async (context) => {
    const [alice, bob, carol] = (await people(3)) as [TestClient, TestClient, TestClient];
    const tea = await createRoom(alice, { name: 'Tea party' });
    const books = await createRoom(alice, { name: 'Book club' });
    await join(bob, tea);
    await join(carol, books);
    await must(
      alice.put(`/_matrix/client/v3/presence/${encodeURIComponent(alice.userId)}/status`, { presence: 'online' }),
    );
    const page = await openPageOf(server, alice);
    context.after(() => page.close());

    await page.reads('Can see me (2)');
    await page.reads('You are both in Tea party.');
    assert.deepEqual([await sees(bob, alice), await sees(carol, alice)], [true, true]);
    assert.doesNotMatch(page.text(), /!\w/, 'no IDs of rooms');

    await page.type('Can somebody see me?', carol.userId);
    await page.press('Ask');
    await page.reads(`Yes, ${carol.userId} can see you. You are both in Book club.`);
    await page.type('Can somebody see me?', '@stranger:elsewhere.example');
    await page.press('Ask');
    await page.reads('No, @stranger:elsewhere.example cannot see you. You are in no room together.');

    await page.choose('Tea party', 'Does not count');
    await page.reads('There are changes that are not saved yet.');
    await page.press('What would change?');
    await page.reads(
      'Of 2 people whom you share rooms with or have named, 1 would no longer see you, and 0 would see you from now on.',
    );
    await page.reads('You are together only in rooms that do not count, such as Tea party.');
    assert.equal(await sees(bob, alice), true, 'nothing is saved yet');
    assert.equal(await kept(alice, unstable), undefined);

    await page.press('Save');
    await page.reads('Saved.');
    await page.reads('Can see me (1)');
    assert.deepEqual(await kept(alice, unstable), { denied_users: [tea] });
    assert.equal(await kept(alice, stable), undefined);
    assert.deepEqual([await sees(bob, alice), await sees(carol, alice)], [false, true]);

    await page.type('A person or a server', bob.userId, 'People who always see me');
    await page.press('Add', 'People who always see me');
    await page.tick('Nobody but the people I name');
    await page.press('What would change?');
    await page.reads('You let nobody see you but the people you name.');
    await until(() => page.document.activeElement?.className === 'preview', 'the focus is on the preview');
    await page.press('Save');
    await page.reads('Saved.');
    await page.reads(`You always let ${bob.userId} see you.`);
    assert.deepEqual(await kept(alice, unstable), { allowed_users: [bob.userId], denied_users: [tea, '@*:*'] });
    assert.deepEqual([await sees(bob, alice), await sees(carol, alice)], [true, false]);
    await page.tick('Everyone who is in a room with me');
    await page.press(`Remove ${bob.userId}`);
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, unstable), { allowed_users: [], denied_users: [tea] });
  });

  test('what is typed must name somebody', async (context) => {
    const [alice] = (await people(1)) as [TestClient];
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.type('A person or a server', 'bob', 'People who never see me');
    await page.press('Add', 'People who never see me');
    await page.reads('That is neither the address of a person');
    await page.type('A person or a server', 'evil.example', 'People who never see me');
    await page.press('Add', 'People who never see me');
    await page.reads('everyone at evil.example');
    await page.press('Discard changes');
    assert.doesNotMatch(page.text(), /evil\.example/);
  });

  test('what others wrote stays as it is; the stable name counts where there is one', async (context) => {
    const [alice] = (await people(1)) as [TestClient];
    const written = {
      denied_users: [7, { a: 1 }, '!gone:elsewhere.example', 'nonsense'],
      x: [1],
      allowed_users: ['@*bot:*'],
    };
    await keep(alice, stable, written);
    await keep(alice, unstable, { denied_users: ['@other:localhost'] });
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.reads('Another app wrote this.');
    await page.reads('everyone whose address fits @*bot:*');
    await page.reads('Rooms you are not in');
    assert.doesNotMatch(page.text(), /@other/);
    await page.type('A person or a server', '@new:localhost', 'People who never see me');
    await page.press('Add', 'People who never see me');
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, stable), {
      ...written,
      denied_users: [...written.denied_users, '@new:localhost'],
    });
    assert.deepEqual(await kept(alice, unstable), { denied_users: ['@other:localhost'] });
  });

  test('a list that is none: nobody sees anything, until the person begins it anew', async (context) => {
    const [alice, bob] = (await people(2)) as [TestClient, TestClient];
    await join(bob, await createRoom(alice));
    await keep(alice, unstable, { denied_users: 'all', allowed_users: ['@x:localhost'] });
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.reads('To be on the safe side, nobody sees you.');
    await page.reads('Can see me (0)');
    await page.press('Begin that list anew');
    await page.press('Save');
    await page.reads('Can see me (2)');
    assert.deepEqual(await kept(alice, unstable), { denied_users: [], allowed_users: ['@x:localhost'] });
  });

  test('what another device has changed meanwhile is shown, and not overwritten', async (context) => {
    const [alice] = (await people(1)) as [TestClient];
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.type('A person or a server', '@mine:localhost', 'People who never see me');
    await page.press('Add', 'People who never see me');
    await keep(alice, stable, { denied_users: ['@theirs:localhost'], other: true });
    await page.press('Save');
    await page.reads('another device has changed these settings meanwhile');
    await page.reads('@theirs:localhost');
    assert.deepEqual(await kept(alice, stable), { denied_users: ['@theirs:localhost'], other: true });
    await page.press('Save');
    await page.reads('Saved.');
    assert.deepEqual(await kept(alice, stable), {
      denied_users: ['@theirs:localhost', '@mine:localhost'],
      other: true,
    });
    assert.equal(await kept(alice, unstable), undefined);
  });

  test('what a person changes while the server is saving stays, and can be saved as well', async (context) => {
    const [alice] = (await people(1)) as [TestClient];
    const held = Promise.withResolvers<void>();
    let isSaving = false;
    const page = await openPageOf(server, alice, async (_address, { method }) => {
      if (method !== 'PUT') return;
      isSaving = true;
      await held.promise;
    });
    context.after(() => page.close());
    await page.type('A person or a server', '@first:localhost', 'People who never see me');
    await page.press('Add', 'People who never see me');
    await page.press('Save');
    await until(() => isSaving, 'it is being saved');
    await page.type('A person or a server', '@second:localhost', 'People who never see me');
    await page.press('Add', 'People who never see me');
    await page.reads('@second:localhost');
    held.resolve();
    await until(async () => (await kept(alice, unstable)) !== undefined, 'it is saved');
    await page.reads('There are changes that are not saved yet.');
    await page.press('Save');
    await page.reads('Saved.');
    assert.match(page.text(), /@second:localhost/);
    assert.deepEqual(await kept(alice, unstable), { denied_users: ['@first:localhost', '@second:localhost'] });
  });

  test('a room that has moved is offered to be followed, in both lists; a denied room of an allowed space is warned of', async (context) => {
    const [alice] = (await people(1)) as [TestClient];
    const old = await createRoom(alice, { name: 'Old house' });
    const garden = await createRoom(alice, { name: 'Garden' });
    const space = await createRoom(alice, { name: 'Town', creation_content: { type: 'm.space' } });
    const child = `/_matrix/client/v3/rooms/${encodeURIComponent(space)}/state/m.space.child/${encodeURIComponent(garden)}`;
    await must(alice.put(child, { via: ['localhost'] }));
    await keep(alice, unstable, { allowed_users: [old, space], denied_users: [old, garden] });
    const upgraded = await must(
      alice.post(`/_matrix/client/v3/rooms/${encodeURIComponent(old)}/upgrade`, { new_version: '11' }),
    );
    const replacement = String(upgraded['replacement_room']);
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.reads('Garden does not count, but belongs to Town, whose people always see you.');
    await page.reads('Old house, whose people always see you, has moved to a new room');
    await page.press('Set the same for the new room');
    await page.reads('Old house, which does not count, has moved to a new room');
    await page.press('Set the same for the new room');
    await page.press('Save');
    await page.reads('Saved.');
    const { allowed_users: allowed, denied_users: denied } = (await kept(alice, unstable)) as Record<string, string[]>;
    assert.deepEqual(allowed, [old, space, replacement]);
    assert.deepEqual(denied, [old, garden, replacement]);
    assert.doesNotMatch(page.text(), /has moved/);
  });
});

test('where nobody is told who is online, there is nothing to set', async (context) => {
  const server = await startTestServer({ settings: { PRESENCE_ENABLED: 'false' } });
  context.after(() => server.close());
  const page = await openPageOf(server, await server.registerUser());
  context.after(() => page.close());
  await page.reads('This server tells nobody who is online.');
});

test('where the server has set something for those who have set nothing, the page says so until they do', async (context) => {
  const content = JSON.stringify({ denied_users: ['@*:*'] });
  const server = await startTestServer({ settings: { PRIVACY_PRESENCE_DEFAULT: content } });
  context.after(() => server.close());
  const [alice, bob] = [await server.registerUser(), await server.registerUser()];
  await join(bob, await createRoom(alice, { name: 'Hall' }));
  const page = await openPageOf(server, alice);
  context.after(() => page.close());
  await page.reads('what the server sets for everyone counts');
  await page.reads('Cannot see me (1)');
  await page.type('A person or a server', '@x:localhost', 'People who never see me');
  await page.press('Add', 'People who never see me');
  await page.press('What would change?');
  await page.reads('You are both in Hall.');
  await page.press('Save');
  await page.reads('Can see me (1)');
  assert.doesNotMatch(page.text(), /what the server sets for everyone/);
});

test('where the server lets nobody be seen, a person can still choose that everyone in their rooms sees them', async (context) => {
  const content = JSON.stringify({ denied_users: ['@*:*'] });
  const server = await startTestServer({ settings: { PRIVACY_PRESENCE_DEFAULT: content } });
  context.after(() => server.close());
  const [alice, bob] = [await server.registerUser(), await server.registerUser()];
  await join(bob, await createRoom(alice, { name: 'Hall' }));
  const page = await openPageOf(server, alice);
  context.after(() => page.close());
  await page.reads('Cannot see me (1)');
  assert.equal(page.document.querySelector('[name=presence-default]:checked'), null, 'nothing is chosen yet');
  await page.tick('Everyone who is in a room with me');
  await page.press('Save');
  await page.reads('Can see me (1)');
  assert.deepEqual(await kept(alice, unstable), { denied_users: [] });
});
