import { Agent, request } from 'node:http';
import { createTestClient } from '@portico/testkit/test-client.ts';

const client = '/_matrix/client/v3';
const people = 20;
const rooms = 10;
const text = 'Hello, is anybody there? '.repeat(4);

export type EvenLoad = {
  readonly port: number;
  readonly milliseconds: number;
  readonly sends: number;
  readonly syncs: number;
};

type User = { readonly token: string; since: string | undefined };

/** Sends and syncs, spread evenly over the time; what comes late is made up for. */
export async function useEvenly(load: EvenLoad): Promise<{ readonly sends: number; readonly syncs: number }> {
  const { port, milliseconds } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const ask = (method: string, path: string, token: string, body?: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) };
      const asked = request({ port, host: '127.0.0.1', method, path, headers, agent }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (more: string) => (answer += more));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(answer);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
        });
      });
      asked.on('error', reject);
      asked.end(body);
    });

  const { users, roomIds } = await furnish(`http://127.0.0.1:${port}`);
  const started = performance.now();
  const message = JSON.stringify({ msgtype: 'm.text', body: text });
  const send = async (index: number): Promise<void> => {
    const room = encodeURIComponent(roomIds[index % rooms] ?? '');
    const { token } = users[index % people] as User;
    await ask('PUT', `${client}/rooms/${room}/send/m.room.message/m${index}`, token, message);
  };
  const sync = async (index: number): Promise<void> => {
    const user = users[index % people] as User;
    // Now and then somebody comes with a new device.
    const since = index % 500 === 0 || user.since === undefined ? '' : `&since=${user.since}`;
    const answer = JSON.parse(await ask('GET', `${client}/sync?timeout=0${since}`, user.token)) as {
      next_batch: string;
    };
    user.since = answer.next_batch;
  };

  const spread = async (count: number, lanes: number, use: (index: number) => Promise<void>): Promise<void> => {
    let next = 0;
    const lane = async () => {
      for (let index = next++; index < count; index = next++) {
        const wait = started + (index * milliseconds) / count - performance.now();
        if (wait > 1) await new Promise((resolve) => setTimeout(resolve, wait));
        await use(index);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  };
  await Promise.all([spread(load.sends, 16, send), spread(load.syncs, 8, sync)]);
  agent.destroy();
  return { sends: load.sends, syncs: load.syncs };
}

async function furnish(baseUrl: string): Promise<{ users: User[]; roomIds: string[] }> {
  const users: User[] = [];
  const roomIds: string[] = [];
  const anonymous = createTestClient(baseUrl);
  for (let index = 0; index < people; index++) {
    const body = { username: `p${index}`, password: 'a password', auth: { type: 'm.login.dummy' } };
    const answer = (await anonymous.post(`${client}/register`, body)).body as Record<string, string>;
    const { user_id: userId = '', access_token: accessToken = '', device_id: deviceId = '' } = answer;
    const http = createTestClient(baseUrl, { userId, accessToken, deviceId });
    users.push({ token: accessToken, since: undefined });
    for (let room = 0; room < rooms; room++) {
      if (index > 0) await http.post(`${client}/join/${encodeURIComponent(roomIds[room] ?? '')}`, {});
      else {
        const { body: made } = await http.post(`${client}/createRoom`, { preset: 'public_chat' });
        roomIds.push(String(made['room_id']));
      }
    }
  }
  return { users, roomIds };
}
