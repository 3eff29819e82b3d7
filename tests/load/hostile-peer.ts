import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import {
  encodeCanonical,
  eventIdOf,
  findRoomVersion,
  hashAndSignEvent,
  isJsonObject,
  type JsonObject,
  parseJson,
  signingKeyFromSeed,
  signJson,
  signText,
} from '@portico/protocol';
import { requestText } from '@portico/server/services/federation/signing/request-text.ts';
import { formatXMatrix } from '@portico/server/services/federation/signing/x-matrix.ts';
import { createSystemNetwork } from '@portico/server/services/outbound/network.ts';
import { createOutbound } from '@portico/server/services/outbound/outbound.ts';
import type { FederationPeer, PeerAnswer } from '@portico/testkit/federation-peer.ts';
import { freePort } from '@portico/testkit/server-process.ts';
import type { Place } from './federated-server.ts';

/** What a peer does with a transaction that it is sent. */
export type Behaviour = (response: ServerResponse) => void;

export const behaviours: Readonly<Record<string, Behaviour>> = {
  'never answers': () => undefined,
  'answers garbage': (response) => void response.writeHead(200).end(randomBytes(2000)),
  'answers without end': (response) => {
    const piece = Buffer.alloc(16_384, ' ');
    const timer = setInterval(() => response.write(piece), 50);
    response.on('close', () => clearInterval(timer));
    response.on('error', () => clearInterval(timer));
  },
};

type Handler = Parameters<FederationPeer['on']>[2];

/** Takes everything. */
export const polite: Behaviour = (response) => void response.end('{"pdus":{}}');

export type HostilePeer = Pick<FederationPeer, 'serverName' | 'key' | 'on'> & {
  /** Asks a server, signed. */
  ask(destination: string, method: 'GET' | 'PUT', uri: string, body?: JsonObject): Promise<JsonObject>;
  /** Transactions that have come. */
  readonly transactions: () => number;
  /** Events in those that were taken. */
  readonly events: () => number;
  /** The ID of the event by which its person, `@mallory`, joins. */
  join(server: string, roomId: string): Promise<string>;
  close(): void;
};

const nothing: PeerAnswer = { status: 404, body: { errcode: 'M_NOT_FOUND', error: 'Nothing is here' } };

/** A server on loopback that has keys and joins rooms, and otherwise misbehaves. */
export async function startHostilePeer({ authority, caFile }: Place, behave: Behaviour): Promise<HostilePeer> {
  const port = await freePort();
  const serverName = `localhost:${port}`;
  const key = signingKeyFromSeed('ed25519:peer', randomBytes(32));
  const { certificate, key: tlsKey } = authority.issue(['localhost']);
  const handlers: { readonly method: string; readonly path: string; readonly handler: Handler }[] = [];
  let [transactions, events] = [0, 0];

  const keys = (): JsonObject => {
    const unsigned = {
      server_name: serverName,
      verify_keys: { [key.keyId]: { key: key.publicKey } },
      old_verify_keys: {},
      valid_until_ts: Date.now() + 24 * 60 * 60_000,
    };
    return signJson(unsigned, serverName, key);
  };
  const on: HostilePeer['on'] = (method, path, handler) => void handlers.push({ method, path, handler });
  on('GET', '/_matrix/key/v2/server', () => ({ body: keys() }));

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    transactions++;
    if (behave === polite) {
      const { pdus = [] } = JSON.parse(await text(request)) as { readonly pdus?: readonly unknown[] };
      events += pdus.length;
    } else request.resume();
    behave(response);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    if (url.startsWith('/_matrix/federation/v1/send/')) return take(request, response);
    const body = await text(request);
    const found = handlers.findLast((entry) => entry.method === method && url.startsWith(entry.path));
    const made: PeerAnswer = (await found?.handler({ method, url, headers, body })) ?? nothing;
    const bytes =
      typeof made.body === 'string' || Buffer.isBuffer(made.body) ? made.body : encodeCanonical(made.body, 'lenient');
    response.writeHead(made.status ?? 200, { 'content-type': 'application/json' }).end(bytes);
  }

  const server = createServer({ cert: certificate, key: tlsKey }, (request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const outbound = createOutbound({
    network: createSystemNetwork(),
    allowPrivateAddresses: true,
    trustedCaFile: caFile,
    userAgent: 'peer',
  });

  async function ask(destination: string, method: 'GET' | 'PUT', uri: string, body?: JsonObject): Promise<JsonObject> {
    const content = body && encodeCanonical(body, 'lenient');
    const signed = requestText({ method, uri, origin: serverName, destination, content });
    const authorization = formatXMatrix(serverName, destination, key.keyId, signText(key, signed));
    const target = { host: 'localhost', port: Number(destination.split(':')[1]) };
    const { status, body: given } = await outbound.request({
      route: { targets: [target], host: destination, certificateName: 'localhost' },
      method,
      path: uri,
      headers: { authorization, 'content-type': 'application/json' },
      ...(content !== undefined && { body: content }),
      answerLimit: 64 * 1024 * 1024,
      timeout: 60_000,
      purpose: 'test',
    });
    const parsed = parseJson(given.toString('utf8'), 'lenient');
    if (status !== 200 || !isJsonObject(parsed)) throw new Error(`${method} ${uri}: ${status} ${given.toString()}`);
    return parsed;
  }

  return {
    serverName,
    key,
    on,
    ask,
    transactions: () => transactions,
    events: () => events,
    async join(destination, roomId) {
      const path = encodeURIComponent(roomId);
      const userId = encodeURIComponent(`@mallory:${serverName}`);
      const made = await ask(destination, 'GET', `/_matrix/federation/v1/make_join/${path}/${userId}?ver=11`);
      const rules = findRoomVersion('11');
      if (rules === undefined || !isJsonObject(made['event'])) throw new Error('There is no template');
      const pdu = hashAndSignEvent(rules, made['event'], serverName, key);
      const eventId = eventIdOf(rules, pdu);
      await ask(destination, 'PUT', `/_matrix/federation/v2/send_join/${path}/${encodeURIComponent(eventId)}`, pdu);
      return eventId;
    },
    close() {
      server.closeAllConnections();
      server.close();
      void outbound.close();
    },
  };
}
