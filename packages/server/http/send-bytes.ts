import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Bytes, ByteStream } from './bytes.ts';
import { matchesTag, parseRange } from './range.ts';
import { releaseMemory } from './release-memory.ts';
import { corsHeaders, sendJsonText } from './respond.ts';

/**
 * Answers with bytes, or the part of them that is asked for, or that the client has them already. `GET` only: Fastify
 * makes `HEAD` of it, and reads nothing from storage for that.
 */
export async function sendBytes(request: FastifyRequest, reply: FastifyReply, bytes: Bytes): Promise<FastifyReply> {
  const { size, tag, headers, open } = bytes;
  const quotedTag = `"${tag}"`;
  const { range: rangeHeader, 'if-none-match': ifNoneMatch, 'if-range': ifRange } = request.headers;
  reply.headers(corsHeaders).headers({ ...headers, ETag: quotedTag, 'Accept-Ranges': 'bytes' });
  if (ifNoneMatch !== undefined && matchesTag(ifNoneMatch, quotedTag)) return reply.code(304).send();

  const isHead = request.method === 'HEAD';
  const usesRange = rangeHeader !== undefined && !isHead && (ifRange === undefined || ifRange === quotedTag);
  const range = usesRange ? parseRange(rangeHeader, size) : undefined;
  if (range === 'unsatisfiable') {
    for (const name of Object.keys(headers)) reply.removeHeader(name);
    const body = { errcode: 'M_INVALID_PARAM', error: `There are ${size} bytes only.` };
    return sendJsonText(reply.header('Content-Range', `bytes */${size}`), 416, JSON.stringify(body));
  }
  if (range !== undefined) reply.code(206).header('Content-Range', `bytes ${range.start}-${range.end}/${size}`);
  const length = range === undefined ? size : range.end - range.start + 1;
  reply.header('Content-Length', String(length));
  // Fastify leaves the length of what has no bytes alone for HEAD only.
  if (isHead) return reply.send(Readable.from([]));
  if (length === 0) return reply.send('');
  const stream = await open(range);
  const { raw } = reply.hijack();
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  await pump(stream, raw);
  return reply;
}

/** Answers with bytes as they are made. */
export async function sendByteStream(
  request: FastifyRequest,
  reply: FastifyReply,
  { headers, open }: ByteStream,
): Promise<FastifyReply> {
  reply.headers(corsHeaders).headers(headers);
  if (request.method === 'HEAD') return reply.send(Readable.from([]));
  const stream = open();
  const { raw } = reply.hijack();
  raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders);
  await pump(stream, raw);
  return reply;
}

/** Rather than a pipe, for the memory of each chunk is given back when it is sent. */
async function pump(stream: Readable, response: ServerResponse): Promise<void> {
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const isRoom = response.write(chunk, () => releaseMemory(chunk));
      if (!isRoom && !response.destroyed) await drained(response);
      if (response.destroyed) break;
    }
    response.end();
  } catch {
    // It has begun; that it ends too soon is all that can still be said.
    response.destroy();
  }
}

/** How long a client may take for one chunk, in milliseconds, before its connection is ended. */
const longestStall = 120_000;

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), longestStall);
    const done = () => {
      clearTimeout(timer);
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}
