import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { parseMail, type ReceivedMail } from './parse-mail.ts';

export type MailServerOptions = {
  /** Logs in whoever sends mail. */
  readonly user?: string;
  readonly password?: string;
  /** PEM texts; with them it offers STARTTLS. */
  readonly tls?: { readonly key: string; readonly certificate: string };
  /** Speaks TLS from the first byte. */
  readonly secure?: boolean;
};

/** An SMTP server that keeps what it gets. */
export interface MailServer {
  readonly port: number;
  readonly received: readonly ReceivedMail[];
  /** How many messages it has refused. */
  readonly refused: number;
  /** Most connections that it has had at the same time. */
  readonly mostConnections: number;
  /** The settings by which a server sends its mail here. */
  readonly settings: Readonly<Record<string, string>>;
  /** From now on what comes is answered so; undefined: it is taken. */
  refuseWith(code: number | undefined): void;
  /** From now on messages are taken and not acknowledged, until the hold is released. */
  hold(): () => void;
  /** Once a message is on its way that is not acknowledged yet. */
  arriving(): Promise<void>;
  /** The next message to this address that nobody has waited for yet. */
  next(address: string): Promise<ReceivedMail>;
  close(): Promise<void>;
}

/** For an email, in milliseconds. */
const longestWait = 30_000;

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { user, password, tls, secure = false } = options;
  const received: ReceivedMail[] = [];
  const taken = new Set<ReceivedMail>();
  let refusal: number | undefined;
  let refused = 0;
  let held: Promise<void> | undefined;
  let begun: () => void = () => undefined;
  const beginning = new Promise<void>((resolve) => (begun = resolve));
  let connections = 0;
  let mostConnections = 0;
  let wakeUp: () => void = () => undefined;
  let arrival = new Promise<void>((resolve) => (wakeUp = resolve));

  const server = new SMTPServer({
    secure,
    disabledCommands: tls === undefined ? ['STARTTLS'] : [],
    ...(tls && { key: tls.key, cert: tls.certificate }),
    authOptional: user === undefined,
    allowInsecureAuth: true,
    closeTimeout: 100,
    onConnect(_session, done) {
      connections += 1;
      mostConnections = Math.max(mostConnections, connections);
      done();
    },
    onClose() {
      connections -= 1;
    },
    onAuth(auth, _session, done) {
      if (auth.username === user && auth.password === password) done(null, { user: auth.username });
      else done(new Error('Wrong user name or password'));
    },
    onData(stream, session, answer) {
      const { mailFrom, rcptTo } = session.envelope;
      const envelope = {
        from: mailFrom === false || mailFrom === undefined ? '' : mailFrom.address,
        to: rcptTo.map(({ address }) => address),
      };
      const keep = async (): Promise<void> => {
        const raw = await readText(stream);
        begun();
        await held;
        if (refusal !== undefined) refused += 1;
        if (refusal !== undefined) throw Object.assign(new Error('Refused'), { responseCode: refusal });
        received.push(parseMail(raw, envelope));
        const wake = wakeUp;
        arrival = new Promise((resolve) => (wakeUp = resolve));
        wake();
      };
      keep().then(() => answer(), answer);
    },
  });
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as AddressInfo;

  return {
    port,
    received,
    get refused() {
      return refused;
    },
    get mostConnections() {
      return mostConnections;
    },
    settings: {
      MAIL_HOST: '127.0.0.1',
      MAIL_PORT: String(port),
      MAIL_SECURITY: secure ? 'tls' : tls === undefined ? 'none' : 'starttls',
      MAIL_FROM: 'Test <portico@test.example>',
      ...(user !== undefined && { MAIL_USER: user }),
      ...(password !== undefined && { MAIL_PASSWORD: password }),
    },
    refuseWith(code) {
      refusal = code;
    },
    hold() {
      let release: () => void = () => undefined;
      held = new Promise((resolve) => (release = resolve));
      return () => {
        held = undefined;
        release();
      };
    },
    arriving: () => beginning,
    async next(address) {
      const giveUp = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => giveUp.resolve(true), longestWait);
      for (;;) {
        const found = received.find((mail) => !taken.has(mail) && mail.to.includes(address));
        if (found !== undefined) {
          clearTimeout(timer);
          taken.add(found);
          return found;
        }
        const isOver = await Promise.race([arrival, giveUp.promise]);
        if (isOver) throw new Error(`No email came to ${address}`);
      }
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
