import { encodeCanonical } from '@portico/protocol';
import type { OutgoingRow } from '@portico/storage/stores/federation-sending.ts';
import type { StoredEduRow } from '@portico/storage/stores/stored-edus.ts';
import { CanonicalText } from '../client/federation-client.ts';
import type { OutboxEdu } from './outbox.ts';

/** A transaction as canonical JSON, made of texts that are canonical already. */
export function transactionText(
  serverName: string,
  now: number,
  events: readonly OutgoingRow[],
  stored: readonly StoredEduRow[],
  memory: readonly OutboxEdu[],
): CanonicalText {
  const edus = [
    ...stored.map(({ edu_type: type, content }) => eduText(type, content)),
    ...memory.map(({ type, content }) => eduText(type, encodeCanonical(content, 'lenient'))),
  ];
  const pdus = events.map(({ pdu }) => pdu).join(',');
  const origin = JSON.stringify(serverName);
  return new CanonicalText(
    `{"edus":[${edus.join(',')}],"origin":${origin},"origin_server_ts":${now},"pdus":[${pdus}]}`,
  );
}

function eduText(type: string, content: string): string {
  return `{"content":${content},"edu_type":${JSON.stringify(type)}}`;
}

/**
 * The same events and stored EDUs have the same ID, also after a crash: the other server then knows them already.
 * `undefined` for a transaction of nothing that is stored.
 */
export function transactionId(events: readonly OutgoingRow[], stored: readonly StoredEduRow[]): string | undefined {
  const parts = [];
  const [firstEvent, lastEvent] = [events[0], events.at(-1)];
  if (firstEvent && lastEvent)
    parts.push(`p${firstEvent.stream_position}-${lastEvent.stream_position}-${events.length}`);
  const [firstEdu, lastEdu] = [stored[0], stored.at(-1)];
  if (firstEdu && lastEdu) parts.push(`e${firstEdu.position}.${firstEdu.seq}-${lastEdu.position}.${lastEdu.seq}`);
  return parts.length === 0 ? undefined : parts.join('_');
}
