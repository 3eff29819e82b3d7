import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { maxContent } from '../../../services/rendezvous/limits.ts';
import { networkKey } from '../../../services/rate-limit/rate-limiter.ts';
import type { Message, Rendezvous } from '../../../services/rendezvous/rendezvous.ts';
import { type Endpoint, endpoint } from '../../endpoint.ts';
import { reply } from '../../result.ts';
import { emptyObject } from '../../schemas.ts';
import { refuseNavigation } from './read-message.ts';

export type SequencedRendezvousServices = {
  readonly rendezvous: Rendezvous;
  readonly now: () => number;
};

const path = '/_matrix/client/unstable/io.element.msc4388/rendezvous';

/** "the maximum timeout SHOULD be 300 seconds for security". In milliseconds. */
const lifetime = 300_000;

/** Devices ask again and again, and have to see what is there now. */
const unkept = { headers: { 'Cache-Control': 'no-store' } } as const;

const sequenceToken = Type.String();
const millisecondsLeft = Type.Integer();

export const discoverRendezvous = endpoint(
  {
    method: 'GET',
    path,
    operationId: 'discoverRendezvous',
    summary: 'Tells whether one may open a place where two devices meet.',
    auth: 'none',
    rateLimit: 'rendezvous-message',
    response: Type.Object({ create_available: Type.Boolean() }, { title: 'RendezvousAvailability' }),
  },
  // A device that is to be logged in may show the code: it has no access token yet.
  () => () => ({ create_available: true }),
);

export const createRendezvousSession = endpoint(
  {
    method: 'POST',
    path,
    operationId: 'createRendezvousSession',
    summary: 'Opens a place where two devices leave each other messages, with the first one.',
    auth: 'none',
    rateLimit: 'rendezvous',
    body: Type.Object({ data: Type.String() }, { title: 'FirstRendezvousMessage' }),
    response: Type.Object(
      { id: Type.String(), sequence_token: sequenceToken, expires_in_ms: millisecondsLeft },
      { title: 'RendezvousSession' },
    ),
  },
  ({ rendezvous, now }: SequencedRendezvousServices) =>
    async ({ body: { data }, ip }) => {
      checkLength(data);
      const { id, ...message } = await rendezvous.open(data, { lifetime, network: networkKey(ip) });
      return reply({ id, sequence_token: message.tag, expires_in_ms: leftOf(message, now()) }, unkept);
    },
);

const session = {
  path: `${path}/:rendezvousId`,
  auth: 'none',
  rateLimit: 'rendezvous-message',
  params: Type.Object({ rendezvousId: Type.String() }),
} as const;

export const readRendezvousSession = endpoint(
  {
    ...session,
    method: 'GET',
    operationId: 'readRendezvousSession',
    summary: 'Reads the message that is there.',
    response: Type.Object(
      { data: Type.String(), sequence_token: sequenceToken, expires_in_ms: millisecondsLeft },
      { title: 'RendezvousMessage' },
    ),
  },
  ({ rendezvous, now }: SequencedRendezvousServices) =>
    async ({ params: { rendezvousId }, isNavigation }) => {
      refuseNavigation(isNavigation);
      const message = await rendezvous.read(rendezvousId);
      const left = leftOf(message, now());
      return reply({ data: message.content, sequence_token: message.tag, expires_in_ms: left }, unkept);
    },
);

export const updateRendezvousSession = endpoint(
  {
    ...session,
    method: 'PUT',
    operationId: 'updateRendezvousSession',
    summary: 'Puts another message in its place, if it is the one that was read last.',
    body: Type.Object({ sequence_token: sequenceToken, data: Type.String() }, { title: 'NextRendezvousMessage' }),
    response: Type.Object({ sequence_token: sequenceToken }, { title: 'RendezvousSequence' }),
  },
  ({ rendezvous }: SequencedRendezvousServices) =>
    async ({ params: { rendezvousId }, body: { sequence_token: before, data } }) => {
      checkLength(data);
      const { isWritten, content, tag } = await rendezvous.write(rendezvousId, before, data);
      // "the server MUST also accept a send request whose `sequence_token` does not match the current revision if the
      // supplied `data` is byte-for-byte identical to the current payload": it may be asked again by who got no answer.
      if (!isWritten && content !== data) throw new MatrixError('rendezvous.concurrent-write');
      return reply({ sequence_token: tag }, unkept);
    },
);

export const deleteRendezvousSession = endpoint(
  {
    ...session,
    method: 'DELETE',
    operationId: 'deleteRendezvousSession',
    summary: 'Closes the place.',
    response: emptyObject,
  },
  ({ rendezvous }: SequencedRendezvousServices) =>
    async ({ params: { rendezvousId } }) => {
      await rendezvous.close(rendezvousId);
      return {};
    },
);

function checkLength(data: string): void {
  if (Buffer.byteLength(data) > maxContent) throw new MatrixError('request.too-large');
}

function leftOf({ expiresAt }: Message, now: number): number {
  return Math.max(0, Math.floor(expiresAt - now));
}

/**
 * Where devices meet that log each other in with a QR code.
 *
 * {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4388}
 */
export const sequencedRendezvousEndpoints: readonly Endpoint<SequencedRendezvousServices>[] = [
  discoverRendezvous,
  createRendezvousSession,
  readRendezvousSession,
  updateRendezvousSession,
  deleteRendezvousSession,
];
