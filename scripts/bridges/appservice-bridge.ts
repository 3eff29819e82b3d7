import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { BridgeOptions, Saying } from './bridge-process.ts';

/*
 * A small bridge on matrix-appservice, between Matrix and lines of JSON: one that comes in on stdin is said by a ghost, and
 * what people say goes out on stdout.
 *
 *     node appservice-bridge.ts register '{…}'    writes the registration file
 *     node appservice-bridge.ts run '{…}'
 */
type Event = {
  readonly event_id: string;
  readonly room_id: string;
  readonly sender: string;
  readonly type: string;
  readonly state_key?: string;
  readonly content: { readonly membership?: string; readonly body?: string };
};

type Library = {
  readonly AppService: new (config: { homeserverToken: string }) => {
    on(name: 'event', listener: (event: Event) => void): void;
    listen(port: number, hostname: string, backlog: number): Promise<void>;
    onUserQuery: (userId: string) => Promise<void>;
  };
  readonly AppServiceRegistration: new (url: string) => {
    setId(id: string): void;
    setHomeserverToken(token: string): void;
    setAppServiceToken(token: string): void;
    setSenderLocalpart(localpart: string): void;
    setRateLimited(limited: boolean): void;
    addRegexPattern(kind: 'users', regex: string, exclusive: boolean): void;
    outputAsYaml(file: string): void;
  };
};

const options = JSON.parse(process.argv[3] ?? '') as BridgeOptions;
const { AppService, AppServiceRegistration } = createRequire(`${options.library}/`)('matrix-appservice') as Library;
const write = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const isGhost = (userId: string): boolean =>
  userId.startsWith(`@${options.prefix}`) && userId.endsWith(`:${options.domain}`);

/** Asks until there is an answer: the server may be away. */
async function call(method: string, path: string, userId: string, body?: object, ts?: number): Promise<object> {
  const query = new URLSearchParams({ user_id: userId, ...(ts !== undefined && { ts: String(ts) }) });
  for (;;) {
    const answer = await fetch(`${options.homeserver}/_matrix/client/v3/${path}?${query.toString()}`, {
      method,
      headers: { authorization: `Bearer ${options.asToken}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch(() => undefined);
    if (answer !== undefined && answer.status < 500) {
      const given = (await answer.json()) as object;
      if (answer.ok) return given;
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(given)}`);
    }
    await delay(100);
  }
}

async function handle({ type, event_id: eventId, room_id: roomId, sender, state_key: key, content }: Event) {
  if (type === 'm.room.member' && content.membership === 'invite' && key !== undefined && isGhost(key)) {
    await call('POST', `rooms/${encodeURIComponent(roomId)}/join`, key, {});
  }
  if (type === 'm.room.message' && !isGhost(sender)) write({ got: { eventId, roomId, body: content.body } });
}

async function say({ number, roomId, by, text, ts }: Saying): Promise<void> {
  const path = `rooms/${encodeURIComponent(roomId)}/send/m.room.message/${process.pid}-${number}`;
  const userId = `@${options.prefix}${by}:${options.domain}`;
  const said = (await call('PUT', path, userId, { msgtype: 'm.text', body: text }, ts)) as { event_id: string };
  write({ said: number, eventId: said.event_id });
}

async function run(): Promise<void> {
  const service = new AppService({ homeserverToken: options.hsToken });
  let last = Promise.resolve();
  const inOrder = (work: () => Promise<void>): void => {
    last = last.then(work).catch((error: unknown) => write({ failed: String(error) }));
  };
  service.on('event', (event) => inOrder(() => handle(event)));
  service.onUserQuery = async (userId) => {
    const body = { type: 'm.login.application_service', username: userId.slice(1, userId.indexOf(':')) };
    await call('POST', 'register', `@${options.bot}:${options.domain}`, { ...body, inhibit_login: true });
  };
  await service.listen(options.port, '127.0.0.1', 10);
  await call('GET', 'account/whoami', `@${options.bot}:${options.domain}`);
  write({ ready: true });
  process.on('SIGTERM', () => process.exit(0));
  for await (const line of createInterface({ input: process.stdin })) await say(JSON.parse(line) as Saying);
}

if (process.argv[2] === 'register') {
  const registration = new AppServiceRegistration(`http://127.0.0.1:${options.port}`);
  registration.setId(options.id);
  registration.setAppServiceToken(options.asToken);
  registration.setHomeserverToken(options.hsToken);
  registration.setSenderLocalpart(options.bot);
  registration.setRateLimited(false);
  registration.addRegexPattern('users', `@${options.prefix}.*`, true);
  registration.outputAsYaml(options.file);
} else await run();
