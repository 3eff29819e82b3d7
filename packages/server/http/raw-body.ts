import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream';
import { MatrixError } from '../errors/matrix-error.ts';
import type { RawBody, TakeChunk } from './bytes.ts';
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

// By hand: an iterator of the stream, and one around it, make several promises for each of the many pieces of a file.
function readInto(request: IncomingMessage, take: TakeChunk): Promise<void> {
  const { socket } = request;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => request.destroy(new MatrixError('request.timeout')), longestPause);
  let taking: Promise<void> | undefined;
  reading.add(socket);

  function stop(): void {
    clearTimeout(timer);
    reading.delete(socket);
    request.off('data', onData);
    forget();
  }

  function fail(error: unknown): void {
    stop();
    reject(error);
    // Destroying it would end the connection before an answer.
    if (!request.complete && !request.destroyed) discardRest(request);
  }

  /** Whoever takes may clear up what they have begun. */
  async function failOnceTaken(error: Error): Promise<void> {
    await taking;
    fail(error);
  }

  function goOn(chunk: Buffer): void {
    taking = undefined;
    releaseMemory(chunk);
    timer.refresh();
    request.resume();
  }

  function onData(chunk: Buffer): void {
    timer.refresh();
    try {
      const taken = take(chunk);
      if (taken === undefined) releaseMemory(chunk);
      else {
        request.pause();
        taking = taken.then(() => goOn(chunk), fail);
      }
    } catch (error) {
      fail(error);
    }
  }

  const forget = finished(request, { writable: false }, (error) => {
    if (error) {
      void failOnceTaken(error);
    } else {
      stop();
      resolve();
    }
  });
  request.on('data', onData);
  return promise;
}

export function openRawBody(request: IncomingMessage, contentType: string | undefined): RawBody {
  return {
    contentType,
    length: parseLength(request.headers['content-length']),
    read: (take) => readInto(request, take),
  };
}
