import { encodeCanonical, type JsonObject } from '@portico/protocol';
import type { OutgoingReceiptRow, OutgoingRow } from '@portico/storage/stores/federation/federation-outgoing.ts';
import type { StoredEduRow } from '@portico/storage/stores/federation/stored-edus.ts';
import { CanonicalText } from '../client/federation-client.ts';

/** Texts that are canonical JSON. */
export type TransactionParts = { readonly pdus: readonly string[]; readonly edus: readonly string[] };

export function transactionText(serverName: string, now: number, { pdus, edus }: TransactionParts): CanonicalText {
  const origin = JSON.stringify(serverName);
  return new CanonicalText(
    `{"edus":[${edus.join(',')}],"origin":${origin},"origin_server_ts":${now},"pdus":[${pdus.join(',')}]}`,
  );
}

export function eduText(type: string, content: string | JsonObject): string {
  const text = typeof content === 'string' ? content : encodeCanonical(content, 'lenient');
  return `{"content":${text},"edu_type":${JSON.stringify(type)}}`;
}

/**
 * The same events, stored EDUs and receipts have the same ID, also after a crash: the other server then knows them already.
 * `undefined` for a transaction of nothing that is stored.
 */
export function transactionId(
  events: readonly OutgoingRow[],
  stored: readonly StoredEduRow[],
  receipts: readonly OutgoingReceiptRow[],
): string | undefined {
  const [firstEvent, lastEvent] = [events[0], events.at(-1)];
  const [firstEdu, lastEdu] = [stored[0], stored.at(-1)];
  const [firstReceipt, lastReceipt] = [receipts[0], receipts.at(-1)];
  const parts = [
    firstEvent && lastEvent && `p${firstEvent.stream_position}-${lastEvent.stream_position}-${events.length}`,
    firstEdu && lastEdu && `e${firstEdu.position}.${firstEdu.seq}-${lastEdu.position}.${lastEdu.seq}`,
    firstReceipt && lastReceipt && `r${firstReceipt.position}-${lastReceipt.position}-${receipts.length}`,
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : parts.join('_');
}
