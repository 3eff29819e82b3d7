import { readFileSync } from 'node:fs';
import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import { splitServerName } from '@portico/protocol/ids/server-name.ts';
import type { Mailbox } from './mail-types.ts';
import type { Problem, RawMapping } from './raw.ts';
import type { schema } from './schema.ts';
import type { ValuesOf } from './setting.ts';

type Values = ValuesOf<typeof schema>;

/** How to hand mail to an SMTP server. */
export type SmtpConfig = {
  readonly host: string;
  readonly port: number;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly login: { readonly user: string; readonly password: string } | undefined;
  readonly from: Mailbox;
};

const ports = { starttls: 587, tls: 465, none: 25 } as const;

/** Checks what only several settings together can get wrong, and reads the password. `undefined` where no mail is sent. */
export function readMail(values: Values, raw: RawMapping, problems: Problem[]): SmtpConfig | undefined {
  const { host, security, port = ports[security], user, from = defaultSender(values.serverName) } = values.mail;
  const report = (message: string): void => {
    problems.push({ origin: raw.entries.get('mail')?.origin ?? 'the configuration', message });
  };
  if (host === undefined) {
    if (values.registration.requireEmail) report('registration.require_email is true: it takes mail.host');
    return undefined;
  }
  if (from === undefined) report('mail.from is missing: no address can be made of the name of this server');
  const password = readPassword(values.mail, report);
  if ((user === undefined) !== (password === undefined)) {
    report(`mail.${user === undefined ? 'user' : 'password'} is missing: it takes both to log in`);
  }
  if (from === undefined) return undefined;
  const login = user === undefined || password === undefined ? undefined : { user, password };
  return { host, port, security, login, from };
}

function defaultSender(serverName: string): Mailbox | undefined {
  const address = `noreply@${splitServerName(serverName)?.host ?? ''}`;
  return parseEmailAddress(address) === undefined ? undefined : { name: '', address };
}

function readPassword(
  { password, passwordFile }: Values['mail'],
  report: (message: string) => void,
): string | undefined {
  if (passwordFile === undefined) return password;
  if (password !== undefined) report('mail.password and mail.password_file are both given: it takes one of them');
  const [line = ''] = readFileSync(passwordFile, 'utf8').split(/\r?\n/, 1);
  if (line === '') report('mail.password_file is a file without a password in its first line');
  return line;
}
