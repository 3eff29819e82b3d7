import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority, type TestAuthority } from './certificates.ts';

export type PushedDevice = {
  readonly app_id: string;
  readonly pushkey: string;
  readonly pushkey_ts: number;
  readonly data: object;
  readonly tweaks?: object;
};

export type Notification = {
  readonly event_id?: string;
  readonly room_id?: string;
  readonly counts: { readonly unread?: number; readonly missed_calls?: number };
  readonly devices: readonly PushedDevice[];
  readonly [field: string]: unknown;
};

export type GatewayAnswer = { readonly status?: number; readonly body?: unknown };

/** A push gateway in a test, and what it was told. */
export interface TestGateway {
  readonly url: string;
  readonly port: number;
  /** What a server that is to trust it is configured with. */
  readonly settings: Readonly<Record<string, string>>;
  /** Everything it was told, in order, whatever it answered. */
  readonly notifications: readonly Notification[];
  /** How it answers from now on; as a gateway that takes everything without. */
  answerWith(answer?: (notification: Notification) => GatewayAnswer | Promise<GatewayAnswer>): void;
  /** Waits until something is so, looking whenever a request comes or is answered. */
  until(holds: () => boolean): Promise<void>;
  /** Forgets what it was told. */
  clear(): void;
  close(): Promise<void>;
}

export const gatewayPath = '/_matrix/push/v1/notify';

type Options = {
  /** Instead of one of its own. */
  readonly authority?: TestAuthority;
  /** Under which name and port it is reached, instead of the address of this machine that it listens at. */
  readonly host?: string;
};

export async function startTestGateway({
  authority = createTestAuthority(),
  host,
}: Options = {}): Promise<TestGateway> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-gateway-'));
  const { certificate: cert, key } = authority.issue([host?.split(':')[0] ?? '127.0.0.1']);
  const trusted = join(folder, 'ca.pem');
  writeFileSync(trusted, authority.certificate);
  const notifications: Notification[] = [];
  const looks = new Set<() => void>();
  let answer: (notification: Notification) => GatewayAnswer | Promise<GatewayAnswer> = () => ({});

  async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of incoming) text += String(chunk);
    if (incoming.method !== 'POST' || incoming.url !== gatewayPath) return void outgoing.writeHead(404).end();
    const { notification } = JSON.parse(text) as { notification: Notification };
    notifications.push(notification);
    for (const look of looks) look();
    const { status = 200, body = { rejected: [] } } = await answer(notification);
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    for (const look of looks) look();
  }

  const server: Server = createServer({ cert, key }, (incoming, outgoing) => void respond(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  return {
    url: `https://${host ?? `127.0.0.1:${port}`}${gatewayPath}`,
    port,
    settings: { OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true', OUTBOUND_TRUSTED_CA_FILE: trusted },
    notifications,
    answerWith(given = () => ({})) {
      answer = given;
    },
    async until(holds) {
      while (!holds()) {
        await new Promise<void>((resolve) => {
          const look = () => {
            looks.delete(look);
            resolve();
          };
          looks.add(look);
        });
      }
    },
    clear: () => void notifications.splice(0),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
