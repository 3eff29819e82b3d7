import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createTestAuthority } from '@portico/testkit/certificates.ts';
import { type MailServerOptions, startMailServer } from '@portico/testkit/mail-server.ts';
import type { SmtpConfig } from '../../config/mail.ts';
import { createMailer, type Mailer } from './mailer.ts';
import { writeMail } from './message.ts';
import { createSmtpTransport } from './smtp-transport.ts';

const content = writeMail('A subject', ['Hello.']);
const from = { name: 'Portico', address: 'portico@test.example' };

function mailerTo(
  context: TestContext,
  smtp: Omit<SmtpConfig, 'from'>,
  options: { trustedCaFile?: string; timeout?: number; maxWaiting?: number } = {},
): { mailer: Mailer; logged: object[] } {
  const logged: object[] = [];
  const { trustedCaFile, timeout, maxWaiting } = options;
  const transport = createSmtpTransport({
    smtp: { ...smtp, from },
    ownName: 'test.example',
    trustedCaFile,
    ...(timeout !== undefined && { timeout }),
  });
  const mailer = createMailer({
    transport,
    log: { warn: (details) => logged.push(details) },
    ...(maxWaiting !== undefined && { maxWaiting }),
  });
  context.after(() => mailer.close());
  return { mailer, logged };
}

async function start(context: TestContext, options: MailServerOptions = {}) {
  const server = await startMailServer(options);
  context.after(() => server.close());
  return server;
}

const host = '127.0.0.1';
const failed = { name: 'MatrixError', reason: 'mail.failed' };
const mail = { to: 'alice@example.org', content };

test('mail arrives, in any script', async (context) => {
  const server = await start(context);
  const { mailer } = mailerTo(context, { host, port: server.port, security: 'none', login: undefined });
  await mailer.send({
    to: 'bob@example.org',
    content: writeMail('Übung 😀 für Пётр', ['Ein „Satz“.', { link: 'https://x/?a=b&c=d' }]),
  });
  const { text, html, headers, from: sender, to } = await server.next('bob@example.org');
  assert.deepEqual([sender, to], ['portico@test.example', ['bob@example.org']]);
  assert.equal(text.trim().replaceAll('\r\n', '\n'), 'Ein „Satz“.\n\nhttps://x/?a=b&c=d');
  assert.match(html, /<a href="https:\/\/x\/\?a=b&#38;c=d">/);
  assert.match(headers.get('subject')?.join() ?? '', /^=\?UTF-8\?/);
});

test('what people have written is neither markup nor another header', async (context) => {
  const server = await start(context);
  const { mailer } = mailerTo(context, { host, port: server.port, security: 'none', login: undefined });
  const hostile = 'x\r\nBcc: victim@example.org\r\n\r\n<script>alert("1")</script>';
  await mailer.send({ ...mail, content: writeMail(hostile, [hostile]) });
  const { html, headers, to } = await server.next('alice@example.org');
  assert.deepEqual(to, ['alice@example.org']);
  assert.equal(headers.get('bcc'), undefined);
  assert.doesNotMatch(html, /<script/);
});

test('it takes TLS where the configuration says so, and a certificate that is trusted', async (context) => {
  const authority = createTestAuthority();
  const folder = mkdtempSync(join(tmpdir(), 'portico-ca-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const trustedCaFile = join(folder, 'ca.pem');
  writeFileSync(trustedCaFile, authority.certificate);
  const tls = authority.issue([host]);
  const wrong = authority.issue(['other.example']);
  for (const secure of [true, false]) {
    const security = secure ? 'tls' : 'starttls';
    const server = await start(context, { tls, secure });
    const smtp = { host, port: server.port, security, login: undefined } as const;
    await mailerTo(context, smtp, { trustedCaFile }).mailer.send(mail);
    assert.equal(server.received.length, 1);
    await assert.rejects(mailerTo(context, smtp).mailer.send(mail), failed, 'nobody trusts it');
    const other = await start(context, { tls: wrong, secure });
    const misnamed = mailerTo(context, { ...smtp, port: other.port }, { trustedCaFile });
    await assert.rejects(misnamed.mailer.send(mail), failed, 'of another name');
    assert.equal(other.received.length, 0);
  }
  const plain = await start(context);
  const smtp = { host, port: plain.port, security: 'starttls', login: undefined } as const;
  await assert.rejects(mailerTo(context, smtp, { trustedCaFile }).mailer.send(mail), failed, 'without TLS');
  assert.equal(plain.received.length, 0);
});

test('it logs in, and what goes wrong is in the log without passwords and addresses', async (context) => {
  const server = await start(context, { user: 'me', password: 'hunter2' });
  const smtp = { host, port: server.port, security: 'none' } as const;
  await mailerTo(context, { ...smtp, login: { user: 'me', password: 'hunter2' } }).mailer.send(mail);
  assert.equal(server.received.length, 1);
  const { mailer, logged } = mailerTo(context, { ...smtp, login: { user: 'me', password: 'swordfish' } });
  await assert.rejects(mailer.send(mail), failed);
  server.refuseWith(550);
  const refused = mailerTo(context, { ...smtp, login: { user: 'me', password: 'hunter2' } });
  await assert.rejects(refused.mailer.send(mail), { ...failed, reason: 'mail.refused' });
  assert.deepEqual(logged, [{ code: 'EAUTH', command: 'AUTH PLAIN', responseCode: 535 }]);
  assert.deepEqual(refused.logged, [{ code: 'EMESSAGE', command: 'DATA', responseCode: 550 }]);
  server.refuseWith(451);
  await assert.rejects(refused.mailer.send(mail), failed);
});

/** Takes connections, and says no more than it is told to. */
async function startMute(context: TestContext, greeting: string): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).write(greeting);
  });
  server.listen(0, host);
  await once(server, 'listening');
  context.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test('a server that says nothing, or goes on for ever, or is not there, is given up', async (context) => {
  for (const greeting of ['', '220 hello\r\n', '220-hello\r\n'.repeat(10_000)]) {
    const port = await startMute(context, greeting);
    const { mailer } = mailerTo(context, { host, port, security: 'none', login: undefined }, { timeout: 300 });
    await assert.rejects(mailer.send(mail), failed);
  }
  const { mailer } = mailerTo(context, { host, port: 1, security: 'none', login: undefined });
  await assert.rejects(mailer.send(mail), failed);
});

test('it is not waited for when nobody waits any more', async (context) => {
  const server = await start(context);
  const { mailer } = mailerTo(context, { host, port: server.port, security: 'none', login: undefined });
  const release = server.hold();
  const ending = new AbortController();
  const sending = mailer.send(mail, ending.signal);
  await server.arriving();
  ending.abort();
  await assert.rejects(sending, failed);
  release();
});

test('only so many wait, and others can again once those are done', async (context) => {
  const server = await start(context);
  const smtp = { host, port: server.port, security: 'none', login: undefined } as const;
  const { mailer } = mailerTo(context, smtp, { maxWaiting: 3 });
  const release = server.hold();
  const waiting = [mailer.send(mail), mailer.send(mail)];
  const place = mailer.reserve();
  await assert.rejects(mailer.send(mail), { reason: 'server.overloaded' });
  place.release();
  place.release();
  waiting.push(mailer.send(mail));
  await assert.rejects(mailer.send(mail), { reason: 'server.overloaded' });
  release();
  await Promise.all(waiting);
  await mailer.send(mail);
  assert.equal(server.received.length, 4);
});
