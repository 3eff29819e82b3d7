import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { CountedRoom } from './counted-room.ts';
import { createManualClock } from './manual-clock.ts';
import { startTestGateway, type TestGateway } from './push-gateway.ts';
import type { Database } from '@portico/storage';
import { createSystemNetwork } from '@portico/server/services/outbound/network.ts';
import { createOutbound } from '@portico/server/services/outbound/outbound.ts';
import { createInviteRules } from '@portico/server/services/privacy/invite-rules.ts';
import { createErasedSenders } from '@portico/server/services/reading/erased-senders.ts';
import { createIgnoredUsers } from '@portico/server/services/reading/ignored-users.ts';
import { createUnreadService } from '@portico/server/services/unread/unread-service.ts';
import { createPushedPeople } from '@portico/server/services/push/pushed-people.ts';
import { createPushers } from '@portico/server/services/push/pushers.ts';
import { createLedger } from '@portico/server/services/push/sender/ledger.ts';
import { createDeliverMail } from '@portico/server/services/push/sender/deliver-mail.ts';
import { createUnsubscribe } from '@portico/server/services/push/unsubscribe.ts';
import { createMailer } from '@portico/server/services/mail/mailer.ts';
import { createSmtpTransport } from '@portico/server/services/mail/smtp-transport.ts';
import type { MailServer } from './mail-server.ts';
import {
  createDeliver,
  type Deliver,
  gatewayUrlOf,
  type PushOutcome,
} from '@portico/server/services/push/sender/deliver.ts';
import { createGateway } from '@portico/server/services/push/sender/gateway.ts';
import { createPushNames } from '@portico/server/services/push/sender/push-names.ts';
import { createPushSender, type PushSender } from '@portico/server/services/push/sender/push-sender.ts';

const start = 1_700_000_000_000;

export const bob = '@bob:elsewhere';

const quiet = { info: () => undefined };

const fail = (error: unknown) => assert.fail(String(error));

/** All of a process that has to do with pushes. */
export async function startProcess(db: Database, gateway: TestGateway, isShared = false, smtp?: MailServer) {
  let sender: PushSender | undefined;
  const clock = createManualClock(start, async () => sender?.settled());
  const people = await createPushedPeople({ db, onFailure: fail });
  const outbound = createOutbound({
    network: createSystemNetwork(),
    allowPrivateAddresses: gateway.settings['OUTBOUND_ALLOW_PRIVATE_ADDRESSES'] === 'true',
    trustedCaFile: gateway.settings['OUTBOUND_TRUSTED_CA_FILE'],
    userAgent: 'test',
  });
  const outcomes: PushOutcome[] = [];
  const { now } = clock;
  const process = isShared ? `process ${Math.random()}` : 'only';
  const unread = createUnreadService({ db, isLocal: (id) => id.endsWith(':here'), isPushed: (id) => people.has(id) });
  const mailer =
    smtp &&
    createMailer({
      transport: createSmtpTransport({
        smtp: {
          host: '127.0.0.1',
          port: smtp.port,
          security: 'none',
          login: undefined,
          from: { name: '', address: 'us@here.example' },
        },
        ownName: 'here',
        trustedCaFile: undefined,
      }),
      log: { warn: () => undefined },
    });
  const common = {
    db,
    ignored: createIgnoredUsers(db),
    inviteRules: createInviteRules({ db }),
    erasedSenders: createErasedSenders(db),
    names: createPushNames(db),
    ledger: createLedger({ db, process, isShared, log: quiet, now, random: () => 0 }),
    now,
  };
  const gatewayOf = createGateway(outbound);
  const http = createDeliver({
    ...common,
    gateway: gatewayOf,
    log: quiet,
    observe: (outcome) => outcomes.push(outcome),
  });
  const unsubscribe = createUnsubscribe({ db, secret: new Uint8Array(32), publicBaseUrl: 'https://here.example' });
  const mail = mailer && createDeliverMail({ ...common, mailer, unsubscribe, serverName: 'here' });
  const deliver: Deliver = async (row, signal) => (row.kind === 'email' ? mail?.(row, signal) : http(row, signal));
  const log = { error: ({ err }: { err?: unknown }) => fail(err) };
  sender = createPushSender({
    db,
    deliver,
    destinationOf: (row) => (row.kind === 'email' ? 'email' : gatewayUrlOf(row)?.host),
    people,
    process,
    isShared,
    now,
    after: clock.after,
    log,
  });
  const stop = async () => {
    // What is under way may need the time that close gives it, and has no clock of its own here.
    await sender.settled();
    await sender.close();
    people.close();
    unread.close();
    await outbound.close();
    mailer?.close();
  };
  return {
    clock,
    people,
    unread,
    sender,
    outcomes,
    stop,
    pushers: createPushers({ db, sendsMail: smtp !== undefined, now }),
  };
}

type Process = Awaited<ReturnType<typeof startProcess>>;

export async function setPusher(
  { pushers }: Process,
  gateway: TestGateway,
  userId: string,
  pushkey: string,
): Promise<void> {
  const names = { app_display_name: 'App', device_display_name: 'Phone', lang: 'en' };
  await pushers.set(
    { userId, deviceId: 'PHONE' },
    { kind: 'http', app_id: 'org.example', pushkey, ...names, data: { url: gateway.url, format: 'event_id_only' } },
  );
}

export const say = async (room: CountedRoom, body = 'hello') =>
  (await room.send({ sender: bob, type: 'm.room.message', content: { msgtype: 'm.text', body } })).eventId;

export async function withGateway(context: TestContext): Promise<TestGateway> {
  const gateway = await startTestGateway();
  context.after(() => gateway.close());
  return gateway;
}

export const eventsOf = ({ notifications }: TestGateway) => notifications.map(({ event_id: eventId }) => eventId);
