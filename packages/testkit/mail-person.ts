import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { linkIn, openPage } from './mail-links.ts';
import { type MailServer, type MailServerOptions, startMailServer } from './mail-server.ts';
import type { ReceivedMail } from './parse-mail.ts';
import { startTestServer, type TestServer, type TestServerOptions } from './server.ts';
import type { TestClient, TestResponse } from './test-client.ts';

const v3 = '/_matrix/client/v3';

/** What clients ask tokens for, as their addresses have it. */
export type TokenPurpose = 'account/3pid' | 'account/password' | 'register';

export type Proof = { readonly sid: string; readonly client_secret: string };

/** A server that sends email, and what people do with it. */
export type ServerWithMail = {
  readonly server: TestServer;
  readonly smtp: MailServer;
  requestToken(purpose: TokenPurpose, request: object): Promise<TestResponse>;
  /** Asks for an email, and waits for it. */
  ask(purpose: TokenPurpose, email: string, over?: object): Promise<{ proof: Proof; mail: ReceivedMail }>;
  /** Asks for an email, and follows its link. */
  prove(purpose: TokenPurpose, email: string): Promise<Proof>;
  /** Adds an address to an account. */
  addTo(person: TestClient, email: string): Promise<void>;
  /** The addresses of somebody, in the order in which they were added. */
  addressesOf(person: TestClient): Promise<string[]>;
  close(): Promise<void>;
};

export const newAddress = (): string => `person-${randomBytes(6).toString('hex')}@example.org`;
export const newSecret = (): string => randomBytes(8).toString('hex');

export async function startServerWithMail(
  { settings, ...options }: TestServerOptions = {},
  mailOptions: MailServerOptions = {},
): Promise<ServerWithMail> {
  const smtp = await startMailServer(mailOptions);
  const server = await startTestServer({ ...options, settings: { ...smtp.settings, ...settings } });

  const requestToken: ServerWithMail['requestToken'] = (purpose, request) =>
    server.anonymous.post(`${v3}/${purpose}/email/requestToken`, request);

  const ask: ServerWithMail['ask'] = async (purpose, email, over = {}) => {
    const secret = newSecret();
    const asked = await requestToken(purpose, { client_secret: secret, email, send_attempt: 1, ...over });
    assert.equal(asked.status, 200, JSON.stringify(asked.body));
    return { proof: { sid: String(asked.body['sid']), client_secret: secret }, mail: await smtp.next(email) };
  };

  const prove: ServerWithMail['prove'] = async (purpose, email) => {
    const { proof, mail } = await ask(purpose, email);
    const page = await openPage(server, linkIn(mail), purpose === 'account/password' ? 'POST' : 'GET');
    assert.equal(page.status, 200, page.html);
    return proof;
  };

  return {
    server,
    smtp,
    requestToken,
    ask,
    prove,
    async addTo(person, email) {
      const proof = await prove('account/3pid', email);
      const auth = { type: 'm.login.password', password: 'a password' };
      const added = await person.post(`${v3}/account/3pid/add`, { ...proof, auth });
      assert.equal(added.status, 200, JSON.stringify(added.body));
    },
    async addressesOf(person) {
      const { body } = await person.get(`${v3}/account/3pid`);
      return (body['threepids'] as { address: string }[]).map(({ address }) => address);
    },
    async close() {
      await server.close();
      await smtp.close();
    },
  };
}

/** Status and error code. */
export const outcomeOf = ({ status, body }: TestResponse): string =>
  typeof body['errcode'] === 'string' ? `${status} ${body['errcode']}` : `${status}`;
