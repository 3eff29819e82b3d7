import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { networkKey } from '../../../services/rate-limit/rate-limiter.ts';
import type { Message, Rendezvous } from '../../../services/rendezvous/rendezvous.ts';
import { bytes, rawBody, rawBytes } from '../../bytes.ts';
import { type Endpoint, endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { emptyObject } from '../../schemas.ts';
import { type BaseUrl, clientWellKnown } from '../discovery/base-url.ts';
import { readMessage, refuseNavigation } from './read-message.ts';

export type EtagRendezvousServices = {
  readonly rendezvous: Rendezvous;
  readonly discovery: BaseUrl;
};

const path = '/_matrix/client/unstable/org.matrix.msc4108/rendezvous';

/** In milliseconds. Whoever is asked for a password on the way has to find it. A message does not make it longer. */
const lifetime = 10 * 60_000;
const params = Type.Object({ rendezvousId: Type.String() });

/** What browsers ask before they send it; and what they let a page read. */
const allowedHeaders = ['If-Match', 'If-None-Match'];
const unkept = {
  'Cache-Control': 'no-store, no-transform',
  Pragma: 'no-cache',
  'Access-Control-Expose-Headers': 'ETag',
} as const;

const timesOf = ({ modifiedAt, expiresAt }: Message) => ({
  ...unkept,
  'Last-Modified': new Date(modifiedAt).toUTCString(),
  Expires: new Date(expiresAt).toUTCString(),
});

const headersOf = (message: Message) => ({ ...timesOf(message), ETag: `"${message.tag}"` });

export const openRendezvous = endpoint(
  {
    method: 'POST',
    path,
    operationId: 'openRendezvous',
    summary: 'Opens a place where two devices leave each other messages, with the first one.',
    auth: 'none',
    rateLimit: 'rendezvous',
    allowedHeaders,
    body: rawBody,
    response: Type.Object({ url: Type.String() }, { title: 'RendezvousPlace' }),
  },
  ({ rendezvous, discovery }: EtagRendezvousServices) =>
    async ({ body, ip }) => {
      const { id, ...message } = await rendezvous.open(await readMessage(body), { lifetime, network: networkKey(ip) });
      const url = `${clientWellKnown(discovery)['m.homeserver'].base_url}${path}/${id}`;
      return reply({ url }, { status: 201, headers: headersOf(message) });
    },
);

const place = {
  path: `${path}/:rendezvousId`,
  auth: 'none',
  rateLimit: 'rendezvous-message',
  params,
  allowedHeaders,
} as const;

export const readRendezvous = endpoint(
  {
    ...place,
    method: 'GET',
    operationId: 'readRendezvous',
    summary: 'Reads the message that is there.',
    response: rawBytes,
  },
  ({ rendezvous }: EtagRendezvousServices) =>
    async ({ params: { rendezvousId }, isNavigation }) => {
      refuseNavigation(isNavigation);
      const message = await rendezvous.read(rendezvousId);
      const content = Buffer.from(message.content);
      return bytes({
        size: content.length,
        tag: message.tag,
        headers: { ...timesOf(message), 'Content-Type': 'text/plain', 'X-Content-Type-Options': 'nosniff' },
        open: async (range) =>
          Readable.from([range === undefined ? content : content.subarray(range.start, range.end + 1)]),
      });
    },
);

export const writeRendezvous = endpoint(
  {
    ...place,
    method: 'PUT',
    operationId: 'writeRendezvous',
    summary: 'Puts another message in its place, if it is the one that was read last.',
    body: rawBody,
    response: emptyObject,
  },
  ({ rendezvous }: EtagRendezvousServices) =>
    async ({ params: { rendezvousId }, body, ifMatch }) => {
      const [, before] = /^"([\w-]+)"$/.exec(ifMatch?.trim() ?? '') ?? [];
      if (ifMatch === undefined) throw new MatrixError('request.missing-param', { message: 'Missing: If-Match' });
      const { isWritten, ...message } = await rendezvous.write(rendezvousId, before ?? '', await readMessage(body));
      if (isWritten) return reply({}, { status: 202, headers: headersOf(message) });
      const refusal = {
        errcode: 'M_UNKNOWN',
        error: 'Another message has been left meanwhile.',
        'org.matrix.msc4108.errcode': 'M_CONCURRENT_WRITE',
      };
      return reply(refusal, { status: 412, headers: headersOf(message) });
    },
);

export const closeRendezvous = endpoint(
  {
    ...place,
    method: 'DELETE',
    operationId: 'closeRendezvous',
    summary: 'Closes the place.',
    response: emptyObject,
  },
  ({ rendezvous }: EtagRendezvousServices) =>
    async ({ params: { rendezvousId } }) => {
      await rendezvous.close(rendezvousId);
      return reply({}, { status: 204, headers: unkept });
    },
);

/**
 * Where devices meet that log each other in with a QR code, as MSC4108 had it in 2024.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/blob/87f8317a902cd7bc5c2d2d225f71021b3a509e2d/proposals/4108-oidc-qr-login.md}
 */
export const etagRendezvousEndpoints: readonly Endpoint<EtagRendezvousServices>[] = [
  openRendezvous,
  readRendezvous,
  writeRendezvous,
  closeRendezvous,
];
