import { once } from 'node:events';
import { open, rename } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import fastify, { type FastifyReply } from 'fastify';
import { corsHeaders } from '@portico/server/http/respond.ts';

/**
 * A server that knows nothing of Matrix and answers a few of its requests in the plainest way, for comparison: it is no lower
 * bound, since it gathers nothing and has answered nothing before it is measured. Who asks for news waits until somebody types;
 * uploads are on the disk when they are answered; claims are deletions by a thread that writes.
 * `node bare-server.ts http|fastify PORT FOLDER`.
 */
const [kind, port, folder = tmpdir()] = process.argv.slice(2);
const headers = { ...corsHeaders, 'Content-Type': 'application/json' };
const news = JSON.stringify({
  next_batch: 's123456',
  rooms: {
    join: {
      '!r:localhost': { ephemeral: { events: [{ type: 'm.typing', content: { user_ids: ['@a:localhost'] } }] } },
    },
  },
});

/** With a time limit for each, as every long poll has one. */
const waiting = new Map<() => void, NodeJS.Timeout>();

function wait(answer: () => void): void {
  waiting.set(answer, setTimeout(answer, 30_000));
}

function wake(): void {
  for (const [answer, timer] of waiting) {
    clearTimeout(timer);
    answer();
  }
  waiting.clear();
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('utf8');
  for await (const chunk of request as AsyncIterable<string>) text += chunk;
  return text;
}

let uploads = 0;

async function upload(request: IncomingMessage): Promise<string> {
  const name = `upload-${uploads++}`;
  const file = await open(join(folder, `${name}.part`), 'wx');
  for await (const chunk of request as AsyncIterable<Buffer>) await file.write(chunk);
  await file.datasync();
  await file.close();
  await rename(join(folder, `${name}.part`), join(folder, name));
  return JSON.stringify({ content_uri: `mxc://localhost/${name}` });
}

function startWriter(): (devices: string) => Promise<string> {
  const writer = new Worker(new URL('./bare-server-writer.ts', import.meta.url), { workerData: folder });
  const waitingFor: ((text: string) => void)[] = [];
  writer.on('message', (text: string) => waitingFor.shift()?.(text));
  return (devices) => {
    writer.postMessage(devices);
    return new Promise((resolve) => waitingFor.push(resolve));
  };
}

async function serveWithHttp(): Promise<void> {
  const claim = startWriter();
  const send = (response: ServerResponse, text: string) => {
    response.writeHead(200, { ...headers, 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
  };
  const answer = async (request: IncomingMessage): Promise<string> => {
    if (request.url?.includes('/upload') === true) return upload(request);
    const text = await readText(request);
    if (request.url?.includes('/claim') === true) return claim(text);
    JSON.parse(text);
    wake();
    return '{}';
  };
  const server = createServer((request, response) => {
    if (request.method === 'GET') wait(() => send(response, news));
    else void answer(request).then((text) => send(response, text));
  });
  await once(server.listen(Number(port), '127.0.0.1'), 'listening');
}

async function serveWithFastify(): Promise<void> {
  const app = fastify();
  const send = (reply: FastifyReply, text: string) => reply.headers(headers).serializer(String).send(text);
  app.get('/_matrix/client/v3/sync', async (_request, reply) => {
    await new Promise<void>((resolve) => wait(resolve));
    return send(reply, news);
  });
  app.put('/_matrix/client/v3/rooms/:roomId/typing/:userId', async (_request, reply) => {
    wake();
    return send(reply, '{}');
  });
  await app.listen({ port: Number(port), host: '127.0.0.1' });
}

await (kind === 'http' ? serveWithHttp() : serveWithFastify());
console.log('ready');
