import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { PageFile, PageFiles } from '../../services/web/page-files.ts';
import { type Bytes, bytes, rawBytes } from '../bytes.ts';
import { endpoint } from '../endpoint.ts';
import { htmlPage, page } from '../result.ts';

const types = {
  page: 'text/html; charset=utf-8',
  style: 'text/css; charset=utf-8',
  module: 'text/javascript; charset=utf-8',
} as const;

/** A page runs its own scripts only, talks to nobody but its server, and is nobody's frame. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' blob:",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

const always = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
} as const;

/** What is asked for under its version is the same for ever; everything else is asked for again each time. */
function answer({ bytes: content, tag, kind, version }: PageFile, wanted: string | undefined): Bytes {
  const caching = wanted === version ? 'public, max-age=31536000, immutable' : 'no-cache';
  return bytes({
    size: content.length,
    tag,
    headers: { 'Content-Type': types[kind], 'Cache-Control': caching, ...always },
    open: async (range) => {
      const part = range === undefined ? content : content.subarray(range.start, range.end + 1);
      return Readable.from([Buffer.from(part)]);
    },
  });
}

type Deps = { readonly accountPage: PageFiles };

export const getAccountPage = endpoint(
  {
    method: 'GET',
    path: '/account',
    operationId: 'getAccountPage',
    summary: 'The page on which people look after their account.',
    auth: 'none',
    response: rawBytes,
  },
  ({ accountPage }: Deps) =>
    async () =>
      answer(await accountPage.page(), undefined),
);

export const getAccountPageFile = endpoint(
  {
    method: 'GET',
    path: '/account/:name',
    operationId: 'getAccountPageFile',
    summary: 'A file that the account page consists of.',
    auth: 'none',
    params: Type.Object({ name: Type.String() }),
    query: Type.Object({ v: Type.Optional(Type.String()) }),
    response: rawBytes,
  },
  ({ accountPage }: Deps) =>
    async ({ params, query }) => {
      const file = await accountPage.find(params.name);
      if (file === undefined) throw new MatrixError('request.unknown-path');
      return answer(file, query.v);
    },
);

/** Its addresses are relative: with a slash at the end they would lead elsewhere. */
export const getAccountPageWithSlash = endpoint(
  {
    method: 'GET',
    path: '/account/',
    operationId: 'getAccountPageWithSlash',
    summary: 'Leads to the account page.',
    auth: 'none',
    response: htmlPage,
  },
  () => () =>
    page('<!DOCTYPE html><title>Moved</title><a href="../account">Your account</a>', {
      status: 308,
      location: '../account',
    }),
);
