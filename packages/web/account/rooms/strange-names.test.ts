import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { createRoom, must } from '@portico/testkit/people.ts';
import { startTestServer } from '@portico/testkit/server.ts';
import { openPageOf } from '../../testing/logged-in.ts';

suite('what others call things, on the account page', async () => {
  const server = await startTestServer();
  after(() => server.close());
  const markup = '<img src=x onerror=alert(1)><script>alert(1)</script><a href="javascript:alert(1)">x</a>';

  test('is text, whatever is in it', async (context) => {
    const [alice, mallory] = [await server.registerUser(), await server.registerUser()];
    await createRoom(alice, { name: markup });
    const room = await createRoom(mallory, { name: `Invited ${markup}` });
    await must(mallory.post(`/_matrix/client/v3/rooms/${encodeURIComponent(room)}/invite`, { user_id: alice.userId }));
    const data = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/account_data/m.presence_sharing_config`;
    await must(alice.put(data, { allowed_users: [`@${markup}*`], denied_users: [markup, { [markup]: markup }] }));
    await must(alice.put(`/_matrix/client/v3/devices/${alice.deviceId}`, { display_name: markup }));
    const page = await openPageOf(server, alice);
    context.after(() => page.close());
    await page.reads(markup);
    await page.press('Invitations');
    await page.reads(`Invited ${markup}`);
    await page.press('My data and devices');
    await page.reads(markup);
    assert.equal(page.document.querySelectorAll('img, script, a, iframe, style').length, 0);
  });
});
