import { MatrixError } from '../../errors/matrix-error.ts';
import type { MailContent } from './message.ts';
import type { SmtpTransport } from './smtp-transport.ts';

export type Mail = {
  /** An address in the form of `parseEmailAddress`. */
  readonly to: string;
  readonly content: MailContent;
};

/** Hands email to the SMTP server of the configuration. */
export interface Mailer {
  /**
   * Is done when the SMTP server has taken it. Throws `server.overloaded` where too many wait already, and `mail.failed`
   * or `mail.refused` where the server did not take it, this time or for good; what was wrong is in the log.
   */
  send(mail: Mail, signal?: AbortSignal): Promise<void>;
  /** Takes a place among those who wait, for something that has to be done before. Throws `server.overloaded`. */
  reserve(): MailPlace;
  close(): void;
}

/** To be released, whether something is sent or not. */
export type MailPlace = { send(mail: Mail, signal?: AbortSignal): Promise<void>; release(): void };

type Dependencies = {
  readonly transport: SmtpTransport;
  readonly log: { warn(details: object, message: string): void };
  /** How many may be on their way, or wait for that. */
  readonly maxWaiting?: number;
};

export function createMailer({ transport, log, maxWaiting = 50 }: Dependencies): Mailer {
  let waiting = 0;

  async function handOver({ to, content }: Mail, signal?: AbortSignal): Promise<void> {
    try {
      await transport.send(to, content, signal);
    } catch (error) {
      // Neither who it was for nor what the server said about them.
      log.warn(summary(error), 'An email could not be sent: check the section mail of the configuration');
      throw new MatrixError(isRefusal(error) ? 'mail.refused' : 'mail.failed');
    }
  }

  function reserve(): MailPlace {
    if (waiting >= maxWaiting) throw new MatrixError('server.overloaded', { fields: { retry_after_ms: 10_000 } });
    waiting += 1;
    let isHeld = true;
    return {
      send: handOver,
      release() {
        if (isHeld) waiting -= 1;
        isHeld = false;
      },
    };
  }

  return {
    reserve,
    async send(mail, signal) {
      const place = reserve();
      try {
        await place.send(mail, signal);
      } finally {
        place.release();
      }
    },
    close: () => transport.close(),
  };
}

function summary(error: unknown): object {
  const { code, command, responseCode, name } = error as Record<string, unknown>;
  return { code: code ?? name, command, responseCode };
}

/** Whether the server will never take this message, or any for this address; not that it would not talk to us at all. */
function isRefusal(error: unknown): boolean {
  const { command, responseCode } = error as Record<string, unknown>;
  const isPermanent = typeof responseCode === 'number' && responseCode >= 500 && responseCode < 600;
  return isPermanent && (command === 'RCPT TO' || command === 'DATA');
}
