/** Where a page says how it is written, if it says so itself. */
const headBytes = 4096;
const fallback = 'windows-1252';

const byteOrderMarks: readonly (readonly [mark: readonly number[], label: string])[] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xfe, 0xff], 'utf-16be'],
  [[0xff, 0xfe], 'utf-16le'],
];

/**
 * The text of a page. Its own byte order mark counts before what its server says, and that before what the page says.
 *
 * {@link https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding}
 */
export function decodePage(bytes: Uint8Array, contentType: string | undefined): string {
  for (const label of [markOf(bytes), charsetOf(contentType), declaredIn(bytes)]) {
    const decoder = label === undefined ? undefined : decoderOf(label);
    if (decoder !== undefined) return decoder.decode(bytes);
  }
  try {
    // The end may be cut in the middle of a character, which is no reason to think of another encoding.
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
  } catch {
    return new TextDecoder(fallback).decode(bytes);
  }
}

function decoderOf(label: string): TextDecoder | undefined {
  try {
    return new TextDecoder(label);
  } catch {
    return undefined;
  }
}

function markOf(bytes: Uint8Array): string | undefined {
  return byteOrderMarks.find(([mark]) => mark.every((byte, index) => bytes[index] === byte))?.[1];
}

function charsetOf(contentType: string | undefined): string | undefined {
  const [, quoted, plain] = /;\s*charset\s*=\s*(?:"([^"]{1,40})"|([^\s;"]{1,40}))/i.exec(contentType ?? '') ?? [];
  return quoted ?? plain;
}

/**
 * > If charset is UTF-16BE/LE, then set charset to UTF-8.
 *
 * Otherwise the declaration could not have been read.
 */
function declaredIn(bytes: Uint8Array): string | undefined {
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, headBytes));
  const [, inXml] = /^\s*<\?xml\s[^>]{0,100}?encoding\s*=\s*["']([^"'>]{1,40})["']/i.exec(head) ?? [];
  const [, inMeta] = /<meta\s[^>]{0,200}?charset\s*=\s*["']?\s*([^\s"'/>;]{1,40})/i.exec(head) ?? [];
  const label = inXml ?? inMeta;
  return label !== undefined && /^utf-?16/i.test(label) ? 'utf-8' : label;
}
