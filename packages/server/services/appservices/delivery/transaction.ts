import type { Reader } from '@portico/storage';
import type { AppService } from '../app-service.ts';
import { deviceListsFor, keyCountsFor, toDeviceFor, toDeviceText } from './encryption.ts';
import { type PresenceFor, receiptTexts, type TypingNow, typingTexts } from './ephemeral.ts';
import { eventTexts } from './events-text.ts';
import type { Taken } from './passing.ts';
import type { Plan } from './plan.ts';

export type TransactionContext = {
  readonly db: Reader;
  readonly service: AppService;
  readonly typing: TypingNow;
  readonly presence: PresenceFor;
  readonly now: () => number;
};

export type Transaction = {
  /** The body, or `undefined` if there is nothing to tell. */
  readonly body: string | undefined;
  /** Whose messages to devices are delivered with it. */
  readonly toDeviceUsers: readonly string[];
};

/** What a service is told of a stretch of the log, with what has passed meanwhile. */
export async function makeTransaction(context: TransactionContext, plan: Plan, taken: Taken): Promise<Transaction> {
  const { service, db } = context;
  const fields = new Map<string, string>();
  let isEmpty = plan.events.length === 0;
  fields.set('events', array(await eventTexts(db, plan.events, context.now())));
  let toDeviceUsers: readonly string[] = [];

  if (service.receivesEphemeral) {
    const ephemeral = await ephemeralTexts(context, plan, taken);
    fields.set('ephemeral', array(ephemeral));
    fields.set('de.sorunome.msc2409.ephemeral', array(ephemeral));
    const { users, messages } = await toDeviceFor(context, plan.range);
    toDeviceUsers = users;
    if (messages.length > 0) fields.set('de.sorunome.msc2409.to_device', array(messages.map(toDeviceText)));
    isEmpty &&= ephemeral.length === 0 && messages.length === 0;
  }
  if (service.receivesDeviceLists) {
    const lists = await deviceListsFor(context, plan.range);
    const { counts, unused } = await keyCountsFor(db, [...taken.keyCounts, ...toDeviceUsers]);
    fields.set('org.matrix.msc3202.device_lists', JSON.stringify(lists));
    fields.set('org.matrix.msc3202.device_one_time_keys_count', JSON.stringify(counts));
    fields.set('org.matrix.msc3202.device_unused_fallback_key_types', JSON.stringify(unused));
    isEmpty &&= lists.changed.length + lists.left.length + Object.keys(counts).length === 0;
  }
  const body = Array.from(fields, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(',');
  return { body: isEmpty ? undefined : `{${body}}`, toDeviceUsers };
}

async function ephemeralTexts(context: TransactionContext, { range }: Plan, taken: Taken): Promise<string[]> {
  return [
    ...(await receiptTexts(context, range, taken.receipts)),
    ...(await typingTexts(context, context.typing, taken.typing)),
    ...(await context.presence(context.service, taken.presence)),
  ];
}

function array(texts: readonly string[]): string {
  return `[${texts.join(',')}]`;
}
