import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Bytes } from './bytes.ts';
import { matchesTag, parseRange } from './range.ts';
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
  const stream = isHead || length === 0 ? Readable.from([]) : await open(range);
  return reply.header('Content-Length', String(length)).send(stream);
}
