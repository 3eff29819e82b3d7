import type { JsonObject } from '@portico/protocol';
import { type Raw, rawToJson } from './raw.ts';
import { integer, text } from './scalar-types.ts';
import { list, record } from './structured-types.ts';
import { reportWrong, scalarType, type ValueType } from './value-type.ts';

const turnUri = scalarType('an address such as turn:turn.example.org:3478?transport=udp', (value) =>
  /^turns?:\S+$/.test(value) ? value : undefined,
);

export const turnServer = record(
  { uris: list(turnUri, { least: 1 }), shared_secret: text },
  { lifetime: integer(60, 30 * 24 * 3600) },
);

export type RtcTransport = JsonObject & { readonly type: string };

/** What a transport needs besides its type is the transport's own affair. */
export const rtcTransport: ValueType<RtcTransport> = {
  description: 'an object with a type, and whatever belongs to that type',
  structured: true,
  parse(raw, context) {
    if (raw.kind !== 'mapping') return reportWrong(raw, context, this.description);
    const type = textOf(raw.entries.get('type'));
    return type === undefined
      ? reportWrong(raw, context, 'an object whose type is a text')
      : { ...(rawToJson(raw) as JsonObject), type };
  },
};

function textOf(raw: Raw | undefined): string | undefined {
  return raw?.kind === 'scalar' && typeof raw.value === 'string' && raw.value !== '' ? raw.value : undefined;
}
