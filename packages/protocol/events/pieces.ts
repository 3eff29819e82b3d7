import { Buffer } from 'node:buffer';
import { encodeCanonical, type CanonicalMode } from '../json/canonical.ts';
import { compareCodePoints } from '../json/code-points.ts';
import { filterKeys, type JsonFields } from '../json/object.ts';
import { maxJsonDepth } from '../json/parse-json.ts';

/**
 * A PDU's canonical JSON, cut around the content, so that either the content alone or the whole can be sent without
 * parsing anything.
 */
export type PduPieces = {
  /** Up to and including `"content":`. */
  readonly before: string;
  /** The canonical JSON of the content. */
  readonly content: string;
  /** From the comma or brace after the content. */
  readonly after: string;
};

/** The canonical JSON of the whole PDU. */
export function joinPieces(pieces: PduPieces): string {
  return pieces.before + pieces.content + pieces.after;
}

/** Bytes of UTF-8 of the whole PDU, which {@link maxPduBytes} limits. */
export function sizeOfPieces(pieces: PduPieces): number {
  return Buffer.byteLength(pieces.before) + Buffer.byteLength(pieces.content) + Buffer.byteLength(pieces.after);
}

/**
 * The pieces of a PDU that was parsed.
 *
 * @throws JsonError if the PDU has no canonical JSON under this mode
 */
export function splitPdu(pdu: JsonFields, mode: CanonicalMode): PduPieces {
  const before = encodeCanonical(
    filterKeys(pdu, (key) => compareCodePoints(key, 'content') < 0),
    mode,
  );
  const after = encodeCanonical(
    filterKeys(pdu, (key) => compareCodePoints(key, 'content') > 0),
    mode,
  );
  return {
    before: `${before === '{}' ? '{' : `${before.slice(0, -1)},`}"content":`,
    content: encodeCanonical(pdu.content ?? {}, mode, maxJsonDepth - 1),
    after: after === '{}' ? '}' : `,${after.slice(1)}`,
  };
}
