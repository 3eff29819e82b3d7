import { randomBytes } from 'node:crypto';
import { splitServerName } from '@portico/protocol';
import type { Database } from '@portico/storage';
import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import { createMailer, type Mailer } from '../services/mail/mailer.ts';
import { createSmtpTransport } from '../services/mail/smtp-transport.ts';
import type { RateLimiter } from '../services/rate-limit/rate-limiter.ts';
import { createEmailValidations, type EmailValidations } from '../services/third-party-ids/validations.ts';

type Context = {
  readonly config: Config;
  readonly db: Database;
  readonly rateLimiter: RateLimiter;
  readonly log: Logger;
  readonly now: () => number;
};

export type MailParts = {
  /** For whoever has something to tell people by email; `undefined` where the server sends none. */
  readonly mailer: Mailer | undefined;
  readonly validations: EmailValidations;
  close(): void;
};

export function createMailParts({ config, db, rateLimiter, log, now }: Context): MailParts {
  const { smtp, serverName, publicBaseUrl, mail } = config;
  const mailer =
    smtp &&
    createMailer({
      transport: createSmtpTransport({
        smtp,
        ownName: splitServerName(serverName)?.host ?? serverName,
        trustedCaFile: config.outbound.trustedCaFile,
      }),
      log,
    });
  const validations = createEmailValidations(
    {
      serverName,
      publicBaseUrl,
      revealsAddresses: mail.revealAddresses,
      nextLinkHosts: mail.nextLinkHosts,
    },
    { db, mailer, rateLimiter, now, randomBytes },
  );
  return { mailer, validations, close: () => mailer?.close() };
}
