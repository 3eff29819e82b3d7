import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:https';
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
  type SigningKey,
} from '@portico/protocol';
import { requestText } from '@portico/server/services/federation/signing/request-text.ts';
import { formatXMatrix } from '@portico/server/services/federation/signing/x-matrix.ts';
import { systemNetwork } from '@portico/server/services/outbound/network.ts';
import { createOutbound } from '@portico/server/services/outbound/outbound.ts';
import type { TestAuthority } from '@portico/testkit/certificates.ts';
import { freePort } from '@portico/testkit/server-process.ts';

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

/** Takes everything. */
export const polite: Behaviour = (response) => void response.end('{"pdus":{}}');

export type HostilePeer = {
  readonly serverName: string;
  readonly key: SigningKey;
  /** Asks a server, signed. */
  ask(destination: string, method: 'GET' | 'PUT', uri: string, body?: JsonObject): Promise<JsonObject>;
  /** Transactions that have come. */
  readonly transactions: () => number;
  /** The ID of the event by which its person, `@mallory`, joins. */
  join(server: string, roomId: string): Promise<string>;
  close(): void;
};

/** A server on loopback that has keys and joins rooms, and otherwise misbehaves. */
export async function startHostilePeer(
  authority: TestAuthority,
  caFile: string,
  behave: Behaviour,
): Promise<HostilePeer> {
  const port = await freePort();
  const serverName = `localhost:${port}`;
  const key = signingKeyFromSeed('ed25519:peer', randomBytes(32));
  const { certificate, key: tlsKey } = authority.issue(['localhost']);
  let transactions = 0;

  const keys = (): string => {
    const answer = {
      server_name: serverName,
      verify_keys: { [key.keyId]: { key: key.publicKey } },
      old_verify_keys: {},
      valid_until_ts: Date.now() + 24 * 60 * 60_000,
    };
    return encodeCanonical(signJson(answer, serverName, key), 'lenient');
  };
  const server = createServer({ cert: certificate, key: tlsKey }, (request, response) => {
    request.resume();
    if (request.url?.startsWith('/_matrix/key/v2/server') === true) response.end(keys());
    else if (request.method === 'PUT') {
      transactions++;
      behave(response);
    } else response.writeHead(404).end('{"errcode":"M_NOT_FOUND","error":"Nothing is here"}');
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const outbound = createOutbound({
    network: systemNetwork,
    allowPrivateAddresses: true,
    trustedCaFile: caFile,
    userAgent: 'peer',
  });

  async function ask(destination: string, method: 'GET' | 'PUT', uri: string, body?: JsonObject): Promise<JsonObject> {
    const content = body && encodeCanonical(body, 'lenient');
    const text = requestText({ method, uri, origin: serverName, destination, content });
    const authorization = formatXMatrix(serverName, destination, key.keyId, signText(key, text));
    const target = { host: 'localhost', port: Number(destination.split(':')[1]) };
    const { status, body: answer } = await outbound.request({
      route: { targets: [target], host: destination, certificateName: 'localhost' },
      method,
      path: uri,
      headers: { authorization, 'content-type': 'application/json' },
      ...(content !== undefined && { body: content }),
      answerLimit: 64 * 1024 * 1024,
      timeout: 60_000,
      purpose: 'test',
    });
    const parsed = parseJson(answer.toString('utf8'), 'lenient');
    if (status !== 200 || !isJsonObject(parsed)) throw new Error(`${method} ${uri}: ${status} ${answer.toString()}`);
    return parsed;
  }

  return {
    serverName,
    key,
    ask,
    transactions: () => transactions,
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
