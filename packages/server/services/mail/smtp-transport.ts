import { readFileSync } from 'node:fs';
import { getCACertificates } from 'node:tls';
import type { SmtpConfig } from '../../config/mail.ts';
import type { MailContent } from './message.ts';

export interface SmtpTransport {
  send(to: string, content: MailContent, signal?: AbortSignal): Promise<void>;
  /** Connects and logs in, and sends nothing. */
  verify(): Promise<void>;
  close(): void;
}

type Options = {
  readonly smtp: SmtpConfig;
  /** What this server calls itself in front of the other one. */
  readonly ownName: string;
  readonly trustedCaFile: string | undefined;
  /** Milliseconds for a message, from the connection to the last answer. */
  readonly timeout?: number;
};

/** A few connections, kept open for a moment. */
const connections = 3;

/**
 * Speaks to one SMTP server. Unlike everything else that the server connects to, its address is the operator's own choice, so
 * private ones are as good as any.
 */
export function createSmtpTransport({ smtp, ownName, trustedCaFile, timeout = 30_000 }: Options): SmtpTransport {
  const { host, port, security, login, from } = smtp;

  // It takes a fifth of a second to load, and most servers send no mail at their start.
  async function open() {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      pool: true,
      maxConnections: connections,
      maxRequeues: 1,
      idleTimeout: 10_000,
      host,
      port,
      name: ownName,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(login && { auth: { user: login.user, pass: login.password } }),
      tls: {
        minVersion: 'TLSv1.2',
        ...(trustedCaFile !== undefined && {
          ca: [...getCACertificates('default'), readFileSync(trustedCaFile, 'utf8')],
        }),
      },
      connectionTimeout: Math.min(timeout, 10_000),
      greetingTimeout: Math.min(timeout, 10_000),
      dnsTimeout: Math.min(timeout, 10_000),
      socketTimeout: timeout,
      // Nothing that is in a message makes this process read files or addresses.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  }
  let opened: ReturnType<typeof open> | undefined;

  return {
    async send(to, { subject, text, html, unsubscribe }, signal) {
      const pool = await (opened ??= open());
      await pool.sendMail({
        from: { name: from.name, address: from.address },
        to: { name: '', address: to },
        subject,
        text,
        html,
        // {@link https://www.rfc-editor.org/rfc/rfc3834#section-5}: nobody's absence notice shall answer.
        headers: {
          'Auto-Submitted': 'auto-generated',
          // https://www.rfc-editor.org/rfc/rfc8058#section-3.1
          ...(unsubscribe !== undefined && {
            'List-Unsubscribe': `<${unsubscribe}>`,
            'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
          }),
        },
        signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]),
      });
    },
    async verify() {
      const pool = await (opened ??= open());
      await pool.verify();
    },
    close: () => void opened?.then((pool) => pool.close()),
  };
}
