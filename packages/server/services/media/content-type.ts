const unknownType = 'application/octet-stream';

const token = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
const quoted = String.raw`"(?:[^"\\\x00-\x1f\x7f-\uffff]|\\[\x20-\x7e])*"`;
const mediaType = new RegExp(`^(${token})/(${token})((?:[ \\t]*;[ \\t]*${token}=(?:${token}|${quoted}))*)[ \\t]*;?$`);

/** Who gets one of these from a server takes it apart: nothing that anybody wants to see. */
const composite: ReadonlySet<string> = new Set(['multipart', 'message']);

const maxLength = 255;

/**
 * What a file is served as, after what its sender calls it. A name that is none becomes `application/octet-stream`.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc9110.html#name-media-type}
 */
export function parseContentType(given: string | undefined): string {
  if (given === undefined || given.length > maxLength) return unknownType;
  const [, type = '', subtype = '', parameters = ''] = mediaType.exec(given.trim()) ?? [];
  if (type === '' || composite.has(type.toLowerCase())) return unknownType;
  return `${type}/${subtype}`.toLowerCase() + parameters;
}
