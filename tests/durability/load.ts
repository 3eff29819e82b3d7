import { connect, type Socket } from 'node:net';
import { createTestClient, type TestClient } from '@portico/testkit/test-client.ts';

const client = '/_matrix/client/v3';

/** A connection that is kept, with one request after the other on it. */
type Connection = { readonly request: (text: string) => Promise<number>; readonly close: () => void };

function open(port: number): Connection {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  let text = '';
  let answered: ((status: number) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;
  socket.setEncoding('latin1').on('data', (more: string) => {
    text += more;
    const head = text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (text.length < head + 4 + length) return;
    const status = Number(text.slice(9, 12));
    text = '';
    answered?.(status);
  });
  socket.on('error', (error) => failed?.(error));
  socket.on('close', () => failed?.(new Error('the server closed the connection')));
  return {
    request: (request) =>
      new Promise((resolve, reject) => {
        answered = resolve;
        failed = reject;
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

export type Measured = {
  readonly perSecond: number;
  readonly sent: number;
  /** Milliseconds: of the sends, and of `/versions` beside them. */
  readonly sendP50: number;
  readonly sendP99: number;
  readonly versionsP99: number;
  readonly versions: number;
};

export type LoadOptions = { readonly port: number; readonly rooms: number; readonly milliseconds: number };

const connections = 64;
const text = 'Hello, is anybody there? '.repeat(4);

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? NaN;

async function furnish(baseUrl: string, rooms: number): Promise<{ user: TestClient; roomIds: readonly string[] }> {
  const username = `load-${Date.now()}`;
  const body = { username, password: 'a password', auth: { type: 'm.login.dummy' } };
  const answer = (await createTestClient(baseUrl).post(`${client}/register`, body)).body as Record<string, string>;
  const { user_id: userId = '', access_token: accessToken = '', device_id: deviceId = '' } = answer;
  const user = createTestClient(baseUrl, { userId, accessToken, deviceId });
  const roomIds: string[] = [];
  for (let index = 0; index < rooms; index++) {
    roomIds.push(String((await user.post(`${client}/createRoom`, {})).body['room_id']));
  }
  return { user, roomIds };
}

/** Sends from 64 connections for a while, and asks for `/versions` beside it. */
export async function measureSends({ port, rooms, milliseconds }: LoadOptions): Promise<Measured> {
  const { user, roomIds } = await furnish(`http://127.0.0.1:${port}`, rooms);
  const body = JSON.stringify({ msgtype: 'm.text', body: text });
  const rest =
    ` HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${user.accessToken}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const end = performance.now() + milliseconds;
  const took: number[] = [];
  const sending = Array.from({ length: connections }, async (_, index) => {
    const connection = open(port);
    const room = encodeURIComponent(roomIds[index % rooms] ?? '');
    for (let count = 0; performance.now() < end; count++) {
      const started = performance.now();
      const status = await connection.request(
        `PUT ${client}/rooms/${room}/send/m.room.message/${index}-${count}${rest}`,
      );
      if (status !== 200) throw new Error(`a send was answered with ${status}`);
      took.push(performance.now() - started);
    }
    connection.close();
  });
  const versions: number[] = [];
  const asking = (async () => {
    const connection = open(port);
    while (performance.now() < end) {
      const started = performance.now();
      await connection.request('GET /_matrix/client/versions HTTP/1.1\r\nHost: localhost\r\n\r\n');
      versions.push(performance.now() - started);
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    connection.close();
  })();
  const started = performance.now();
  await Promise.all([...sending, asking]);
  return {
    perSecond: (took.length * 1000) / (performance.now() - started),
    sent: took.length,
    sendP50: percentile(took, 0.5),
    sendP99: percentile(took, 0.99),
    versionsP99: percentile(versions, 0.99),
    versions: versions.length,
  };
}
