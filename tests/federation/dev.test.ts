import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join, relative } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '@portico/testkit/server-process.ts';

const root = join(import.meta.dirname, '../..');

type Page = { readonly chunk: readonly { readonly type: string; readonly content: { readonly body?: string } }[] };

test('npm run dev starts two servers whose people talk to each other, and goes on where it was', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'portico-dev-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()]);

  for (const time of ['the first time', 'again']) {
    const args = ['scripts/dev.ts', '--ports', ports.join(','), '--data-dir', relative(root, folder)];
    const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const ended = once(child, 'exit');
    // It ends its servers when it is ended.
    context.after(() => child.kill('SIGTERM'));
    for (const end = Date.now() + 60_000; !output.includes('They meet in'); await pause(50)) {
      assert.ok(Date.now() < end && child.exitCode === null, output);
    }

    const login = async (port: number | undefined, user: string) => {
      const base = `http://localhost:${port}/_matrix/client/v3`;
      const identifier = { type: 'm.id.user', user };
      const body = JSON.stringify({ type: 'm.login.password', identifier, password: 'portico' });
      const answer = (await (await fetch(`${base}/login`, { method: 'POST', body })).json()) as {
        access_token: string;
      };
      return async (path: string) => {
        const response = await fetch(`${base}/${path}`, {
          headers: { authorization: `Bearer ${answer.access_token}` },
        });
        return response.json();
      };
    };
    const [ada, esi] = await Promise.all([login(ports[0], 'ada'), login(ports[2], 'esi')]);
    const alias = encodeURIComponent(`#across:localhost:${ports[1]}`);
    const { room_id: roomId } = (await esi(`directory/room/${alias}`)) as { room_id: string };
    assert.ok(roomId);
    for (const ask of [ada, esi]) {
      const expected = ['I am, from the server next door.', 'Is anybody there?'];
      for (const end = Date.now() + 60_000; ; await pause(50)) {
        const page = (await ask(`rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=50`)) as Page;
        assert.ok(page.chunk, JSON.stringify(page));
        const texts = page.chunk.filter(({ type }) => type === 'm.room.message').map(({ content }) => content.body);
        if (texts.length === expected.length || Date.now() > end) {
          assert.deepEqual(texts, expected, time);
          break;
        }
      }
    }
    child.kill('SIGTERM');
    assert.deepEqual(await ended, [0, null], output);
  }
});

test('npm run dev says so where another program has a port', async (context) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  context.after(() => other.close());
  const { port } = other.address() as AddressInfo;
  const child = spawn(process.execPath, ['scripts/dev.ts', '--ports', `${port},0,0,0`], { cwd: root });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  assert.deepEqual(await once(child, 'close'), [1, null]);
  assert.match(complaint, new RegExp(`^Another program listens on port ${port}\\. Stop it, or choose others`));
});
