import { randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import {
  encodeCanonical,
  type JsonObject,
  type JsonValue,
  parseJson,
  signJson,
  signingKeyFromSeed,
  signText,
  type SigningKey,
} from '@portico/protocol';
import { requestText } from '@portico/server/services/federation/signing/request-text.ts';
import { formatXMatrix } from '@portico/server/services/federation/signing/x-matrix.ts';
import { createOutbound } from '@portico/server/services/outbound/outbound.ts';
import { createSystemNetwork } from '@portico/server/services/outbound/network.ts';
import type { TestNetwork } from './network.ts';

export type PeerRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};
export type PeerAnswer = {
  readonly status?: number;
  /** Further headers, or others. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: JsonValue | string | Buffer;
};
type Handler = (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>;

export type SendOptions = {
  readonly content?: JsonValue;
  /** Instead of the usual header; several where there are several. */
  readonly authorization?: string | readonly string[];
  /** Instead of the canonical text of the content. */
  readonly bodyText?: string;
};

/** A server of the network that does exactly what a test says: no Portico. */
export interface FederationPeer {
  readonly serverName: string;
  readonly key: SigningKey;
  /** What it was asked, as `GET /path`. */
  readonly requests: string[];
  /** Its keys, signed, as it publishes them; with other fields where a test says so. */
  keyAnswer(over?: JsonObject): JsonObject;
  /** Answers what begins with this; `/_matrix/key/v2/server` is answered with its keys unless a test says otherwise. */
  on(method: string, path: string, handler: Handler): void;
  /** The `Authorization` header of a request. */
  authorization(destination: string, method: string, uri: string, content?: JsonValue): string;
  /** Asks a server, signed. */
  send(
    destination: string,
    method: 'GET' | 'PUT' | 'POST',
    uri: string,
    options?: SendOptions,
  ): Promise<{ readonly status: number; readonly body: JsonValue }>;
  close(): Promise<void>;
}

/** Where servers are processes of their own, and reach each other as programs on one machine do. */
export function processNetwork({ authority, caFile }: Pick<TestNetwork, 'authority' | 'caFile'>): PeerNetwork {
  return { authority, caFile, networkOf: () => createSystemNetwork(), addPeer: () => undefined };
}

type PeerNetwork = Pick<TestNetwork, 'authority' | 'caFile' | 'networkOf' | 'addPeer'>;

/** A server that does what a test wants, until the test is over. */
export async function openPeer(
  context: Pick<TestContext, 'after'>,
  network: PeerNetwork,
  serverName: string,
): Promise<FederationPeer> {
  const peer = await startPeer(network, serverName);
  context.after(() => peer.close());
  return peer;
}

export async function startPeer(
  network: PeerNetwork,
  serverName: string,
  {
    key = signingKeyFromSeed('ed25519:peer', randomBytes(32)),
    port = 0,
  }: { readonly key?: SigningKey; readonly port?: number } = {},
): Promise<FederationPeer> {
  const handlers: { readonly method: string; readonly path: string; readonly handler: Handler }[] = [];
  const requests: string[] = [];
  const { certificate, key: tlsKey } = network.authority.issue([serverName.replace(/:\d+$/, '')]);

  function keyAnswer(over: JsonObject = {}): JsonObject {
    const answer = {
      server_name: serverName,
      verify_keys: { [key.keyId]: { key: key.publicKey } },
      old_verify_keys: {},
      valid_until_ts: Date.now() + 24 * 60 * 60_000,
      ...over,
    };
    return signJson(answer, serverName, key);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push(`${method} ${url}`);
    const found = handlers.findLast((entry) => entry.method === method && url.startsWith(entry.path));
    const {
      status = 200,
      headers: over = {},
      body,
    }: PeerAnswer = found
      ? await found.handler({ method, url, headers, body: Buffer.concat(chunks).toString('utf8') })
      : { status: 404, body: { errcode: 'M_UNRECOGNIZED' } };
    const bytes = typeof body === 'string' || Buffer.isBuffer(body) ? body : encodeCanonical(body, 'lenient');
    response.writeHead(status, { 'content-type': 'application/json', ...over }).end(bytes);
  }

  const server = createServer({ cert: certificate, key: tlsKey }, (request, response) => {
    answer(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  network.addPeer(serverName, (server.address() as AddressInfo).port);
  const outbound = createOutbound({
    network: network.networkOf(serverName),
    allowPrivateAddresses: true,
    trustedCaFile: network.caFile,
    userAgent: 'peer',
  });

  function authorization(destination: string, method: string, uri: string, content?: JsonValue): string {
    const canonical = content === undefined ? undefined : encodeCanonical(content, 'lenient');
    const text = requestText({ method, uri, origin: serverName, destination, content: canonical });
    return formatXMatrix(serverName, destination, key.keyId, signText(key, text));
  }

  const peer: FederationPeer = {
    serverName,
    key,
    requests,
    keyAnswer,
    on: (method, path, handler) => void handlers.push({ method, path, handler }),
    authorization,
    async send(destination, method, uri, { content, authorization: given, bodyText } = {}) {
      const header = given ?? authorization(destination, method, uri, content);
      const text = bodyText ?? (content === undefined ? undefined : encodeCanonical(content, 'lenient'));
      const { status, body } = await outbound.request({
        route: {
          targets: [{ host: destination, port: 8448 }],
          host: destination,
          certificateName: destination,
        },
        method,
        path: uri,
        // A list becomes a header for each.
        headers: { authorization: header as string, 'content-type': 'application/json' },
        ...(text !== undefined && { body: text }),
        answerLimit: 64 * 1024 * 1024,
        timeout: 30_000,
        purpose: 'test',
      });
      return { status, body: parseJson(body.toString('utf8'), 'lenient') };
    },
    async close() {
      await outbound.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  peer.on('GET', '/_matrix/key/v2/server', () => ({ body: keyAnswer() }));
  return peer;
}
