import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { MatrixError } from '../errors/matrix-error.ts';
import type { RawBody } from './bytes.ts';
import { releaseMemory } from './release-memory.ts';

/** What bodies of endpoints that declare `rawBody` are called inside, whatever the client calls them. */
export const rawBodyType = 'application/x-raw-body';

/** How long a body may pause, in milliseconds. */
const longestPause = 60_000;
/**
 * How long the rest of a body that nobody wants is read, in milliseconds. A browser that is still sending does not look
 * at the answer.
 */
const patience = 10_000;

const reading = new WeakSet<Socket>();

/** Whether this connection brings a raw body, which may take longer than other requests. */
export function isReadingRawBody(socket: Socket): boolean {
  return reading.has(socket);
}

function parseLength(header: string | undefined): number | undefined {
  return header === undefined ? undefined : Number(header);
}

function discardRest(request: IncomingMessage): void {
  const { socket } = request;
  const timer = setTimeout(() => socket.destroy(), patience);
  const done = () => {
    clearTimeout(timer);
    socket.off('close', done);
  };
  // Once it has been answered, the request is not told any more that its connection has gone.
  request.once('end', done);
  socket.once('close', done);
  request.resume();
}

async function* readChunks(request: IncomingMessage): AsyncGenerator<Buffer, void, undefined> {
  const { socket } = request;
  const timer = setTimeout(() => request.destroy(new MatrixError('request.timeout')), longestPause);
  reading.add(socket);
  try {
    // Destroying it would end the connection before an answer.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      timer.refresh();
      yield chunk;
      releaseMemory(chunk);
      timer.refresh();
    }
  } finally {
    clearTimeout(timer);
    reading.delete(socket);
    if (!request.complete && !request.destroyed) discardRest(request);
  }
}

export function openRawBody(request: IncomingMessage, contentType: string | undefined): RawBody {
  return {
    contentType,
    length: parseLength(request.headers['content-length']),
    chunks: () => readChunks(request),
  };
}
