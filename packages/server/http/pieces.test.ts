import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, describe, test } from 'node:test';
import { startTestServer } from '@portico/testkit/server.ts';
import { threadTime } from '@portico/testkit/thread-time.ts';

const server = await startTestServer();
const alice = await server.registerUser('alice');
after(() => server.close());

const megabyte = 1_000_000;

/** Sends the head of a request and, as chunks, so many bytes in pieces of a size. What was answered until the connection ended. */
function send(head: string, bytes: number, size: number): Promise<string> {
  const socket = connect(Number(new URL(server.baseUrl).port), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text) => (answer += String(text)));
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(answer)));
  // The server has hung up.
  socket.on('error', () => undefined);
  socket.write(`${head}\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`);
  sendPieces(socket, `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`, bytes / size);
  return ended;
}

function sendPieces(socket: Socket, piece: string, count: number): void {
  const atOnce = 10_000;
  let left = count;
  const more = () => {
    while (left > 0 && !socket.destroyed) {
      const some = Math.min(left, atOnce);
      left -= some;
      if (socket.write(piece.repeat(some))) continue;
      socket.once('drain', more);
      return;
    }
    socket.write('0\r\n\r\n');
  };
  more();
}

const authorization = `Authorization: Bearer ${alice.accessToken}`;
const account = `/_matrix/client/v3/user/${encodeURIComponent(alice.userId)}/account_data/org.example`;
const closing = 'Connection: close';

describe('a body that comes a byte at a time', () => {
  for (const [name, head] of [
    ['as JSON', `PUT ${account} HTTP/1.1\r\n${authorization}`],
    ['as a file', `POST /_matrix/media/v3/upload HTTP/1.1\r\n${authorization}`],
    ['before anybody has logged in', 'POST /_matrix/client/v3/login HTTP/1.1'],
    ['of a request that is refused', `PUT ${account} HTTP/1.1`],
    ['where none is wanted', `POST /_matrix/client/v3/logout HTTP/1.1`],
    ['of a request that has none', 'GET /_matrix/client/versions HTTP/1.1'],
    ['where there is nothing', 'GET /nowhere HTTP/1.1'],
  ] as const) {
    test(`${name}, ends its connection before it costs much`, { timeout: 60_000 }, async () => {
      const began = threadTime();
      await send(head, megabyte, 1);
      const milliseconds = threadTime() - began;
      assert.ok(milliseconds < 500, `${milliseconds} ms`);
    });
  }

  test('is taken if it comes in pieces of some size, or is small', { timeout: 60_000 }, async () => {
    for (const [bytes, size] of [
      [10 * megabyte, 512],
      [900, 1],
    ] as const) {
      const head = `POST /_matrix/media/v3/upload HTTP/1.1\r\n${closing}\r\n${authorization}`;
      assert.match(await send(head, bytes, size), /^HTTP\/1.1 200/);
    }
  });
});
