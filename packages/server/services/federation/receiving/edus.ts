import { isJsonObject, isUserId, type JsonObject, type JsonValue, serverNameOf } from '@portico/protocol';
import { findRefusal } from '../../../errors/from-storage.ts';
import type { Logger } from '../../../observability/logger.ts';
import { createPacer } from '../../pacer.ts';
import { comesAgain } from './comes-again.ts';

/** The content of an EDU, which is an object and has not been looked into, and the server that sent it. */
export type InboundEdu = { readonly origin: string; readonly content: JsonObject };

/**
 * What is done with EDUs of one type. An EDU that is not as it should be is refused with a `MatrixError`, or passed over;
 * neither disturbs the rest of its transaction. When it resolves, what must not be lost is committed.
 */
export type EduHandler = {
  /** Whether it waits for the events of the same transaction, which it may be about. */
  readonly afterEvents: boolean;
  readonly receive: (edu: InboundEdu) => Promise<void>;
};

/** By `edu_type`. */
export type EduHandlers = ReadonlyMap<string, EduHandler>;

export interface InboundEdus {
  /** Takes the EDUs of a transaction, in their order. Rejects where nothing can be written now: they are to come again. */
  receive(origin: string, edus: readonly JsonValue[], after: 'nothing' | 'events'): Promise<void>;
}

type Dependencies = { readonly handlers: EduHandlers; readonly log: Pick<Logger, 'debug' | 'warn'> };

/** {@link https://spec.matrix.org/v1.19/server-server-api/#edus} */
export function createInboundEdus({ handlers, log }: Dependencies): InboundEdus {
  async function receive(origin: string, handler: EduHandler, type: string, content: JsonObject): Promise<void> {
    try {
      await handler.receive({ origin, content });
    } catch (error) {
      if (comesAgain(error)) throw error;
      const refusal = findRefusal(error);
      if (refusal === undefined) log.warn({ error, origin, type }, 'An EDU of another server could not be received');
      else log.debug({ origin, type, reason: refusal.message }, 'An EDU of another server was refused');
    }
  }

  return {
    async receive(origin, edus, after) {
      const pace = createPacer();
      for (const edu of edus) {
        const pause = pace();
        if (pause !== undefined) await pause;
        if (!isJsonObject(edu)) continue;
        const { edu_type: type, content } = edu;
        if (typeof type !== 'string' || !isJsonObject(content)) continue;
        const handler = handlers.get(type);
        if (handler?.afterEvents === (after === 'events')) await receive(origin, handler, type, content);
      }
    },
  };
}

/** An ID or name in an EDU: not longer than any may be, and Unicode without NUL, which none has. */
export function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value.length <= 255 && !value.includes('\0') && value.isWellFormed()
    ? value
    : undefined;
}

/** The user that an EDU speaks of, if the server that sent it may: nobody speaks for users of others. */
export function userOf(origin: string, userId: JsonValue | undefined): string | undefined {
  return typeof userId === 'string' && isUserId(userId) && serverNameOf(userId) === origin ? userId : undefined;
}
