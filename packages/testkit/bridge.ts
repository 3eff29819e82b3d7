import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SeenEvent } from './sync-client.ts';

export type BridgeRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly authorization: string | undefined;
  readonly body: { readonly [field: string]: unknown };
};

export type BridgeAnswer = { readonly status: number; readonly body?: unknown };

/** An application service in a test: what its registration says, and what it was sent. */
export interface TestBridge {
  readonly asToken: string;
  readonly hsToken: string;
  /** The file to configure a server with. */
  readonly file: string;
  /** Everything it was asked, in order. */
  readonly requests: readonly BridgeRequest[];
  /** Transactions that it has accepted, in order; a repeated one counts once. */
  readonly transactions: readonly BridgeRequest[];
  /** The events of those. */
  readonly events: readonly (SeenEvent & { readonly room_id: string })[];
  /** How requests are answered from now on, instead of with success. `undefined`: as usual. */
  answerWith(
    answer: ((request: BridgeRequest) => BridgeAnswer | undefined | Promise<BridgeAnswer | undefined>) | undefined,
  ): void;
  /** Waits until something is so, looking after every request. */
  until(holds: () => boolean): Promise<void>;
  /** Stops listening, as a bridge that is down does. */
  down(): Promise<void>;
  up(): Promise<void>;
  close(): Promise<void>;
}

const defaults = {
  id: 'test bridge',
  sender_localpart: '_bot',
  namespaces: {
    users: [{ exclusive: true, regex: '@_ghost_.*' }],
    aliases: [{ exclusive: true, regex: '#_portal_.*' }],
    rooms: [],
  },
};

export async function startTestBridge(registration: object = {}): Promise<TestBridge> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bridge-'));
  const [asToken, hsToken] = [`as-${folder.slice(-6)}`, `hs-${folder.slice(-6)}`];
  const requests: BridgeRequest[] = [];
  const transactions = new Map<string, BridgeRequest>();
  const waiting = new Set<() => void>();
  let answer: Parameters<TestBridge['answerWith']>[0];
  let port = 0;
  let server: Server | undefined;

  async function respond(request: BridgeRequest): Promise<BridgeAnswer> {
    requests.push(request);
    const given = await answer?.(request);
    if (given !== undefined) return given;
    if (request.authorization !== `Bearer ${hsToken}`) return { status: 403, body: { errcode: 'M_FORBIDDEN' } };
    const txnId = /^\/_matrix\/app\/v1\/transactions\/(.+)$/.exec(request.path)?.[1];
    if (txnId !== undefined) transactions.set(txnId, transactions.get(txnId) ?? request);
    else if (!request.path.endsWith('/ping')) return { status: 404, body: { errcode: 'M_NOT_FOUND' } };
    return { status: 200 };
  }

  async function up(): Promise<void> {
    const listening = createServer((incoming, outgoing) => void serve(incoming, outgoing));
    await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve));
    ({ port } = listening.address() as AddressInfo);
    server = listening;
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of incoming) text += String(chunk);
    const url = new URL(incoming.url ?? '/', 'http://bridge');
    const { status, body = {} } = await respond({
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      authorization: incoming.headers.authorization,
      body: (text === '' ? {} : JSON.parse(text)) as BridgeRequest['body'],
    });
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    for (const look of waiting) look();
  }

  async function down(): Promise<void> {
    const closing = server;
    server = undefined;
    if (closing === undefined) return;
    const closed = new Promise<void>((resolve) => closing.close(() => resolve()));
    closing.closeAllConnections();
    await closed;
  }

  await up();
  const file = join(folder, 'registration.yaml');
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(file, JSON.stringify({ url, as_token: asToken, hs_token: hsToken, ...defaults, ...registration }));

  return {
    asToken,
    hsToken,
    file,
    requests,
    get transactions() {
      return [...transactions.values()];
    },
    get events() {
      return [...transactions.values()].flatMap(({ body }) => body['events'] as TestBridge['events']);
    },
    answerWith(next) {
      answer = next;
    },
    async until(holds) {
      while (!holds()) {
        await new Promise<void>((resolve) => {
          const look = () => {
            waiting.delete(look);
            resolve();
          };
          waiting.add(look);
        });
      }
    },
    down,
    up,
    async close() {
      await down();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A path with whom an application service acts as. */
export function actingAs(path: string, userId: string, deviceId?: string): string {
  const parameters = new URLSearchParams({ user_id: userId, ...(deviceId !== undefined && { device_id: deviceId }) });
  return `${path}${path.includes('?') ? '&' : '?'}${parameters.toString()}`;
}
