/** What an `Authorization` header of another server says, unchecked. */
export type XMatrix = {
  readonly origin: string;
  /** Absent where the server is older than v1.3 of the spec. */
  readonly destination: string | undefined;
  readonly keyId: string;
  readonly signature: string;
};

const scheme = /^x-matrix[ \t]+/i;
const separator = /[ \t,]*/y;
const name = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*/y;
const quoted = /"((?:[^"\\]|\\.)*)"/y;
/**
 * "recipient should allow colons to be included in values without requiring the value to be enclosed in quotes"; servers
 * in use also leave Base64 and brackets bare.
 */
const bare = /([^\s",\\]+)/y;
const end = /(?=[ \t]*(?:,|$))/y;

/** Goes on where the last one has ended. */
function take(pattern: RegExp, text: string, at: number): { value: string; next: number } | undefined {
  pattern.lastIndex = at;
  const match = pattern.exec(text);
  return match === null ? undefined : { value: match[1] ?? '', next: pattern.lastIndex };
}

function parseParameters(text: string, start: number): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  let at = take(separator, text, start)?.next ?? start;
  while (at < text.length) {
    const key = take(name, text, at);
    if (key === undefined) return undefined;
    const inQuotes = take(quoted, text, key.next);
    const value = inQuotes ?? take(bare, text, key.next);
    if (value === undefined || take(end, text, value.next) === undefined) return undefined;
    const lower = key.value.toLowerCase();
    // Of two, another program in between may have read the other one.
    if (found.has(lower)) return undefined;
    found.set(lower, inQuotes === undefined ? value.value : value.value.replaceAll(/\\(.)/g, '$1'));
    at = take(separator, text, value.next)?.next ?? text.length;
  }
  return found;
}

/** Whether a header is of this scheme, well-formed or not. */
export function isXMatrix(header: string): boolean {
  return scheme.test(header);
}

/**
 * > the header begins with authorisation scheme `X-Matrix`, followed by one or more spaces, followed by a comma-separated
 * > list of parameters written as name=value pairs.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#request-authentication}
 */
export function parseXMatrix(header: string): XMatrix | undefined {
  const start = scheme.exec(header)?.[0].length;
  const parameters = start === undefined ? undefined : parseParameters(header, start);
  const origin = parameters?.get('origin');
  const keyId = parameters?.get('key');
  // The spec's list of parameters calls it `signature`, its examples and all servers `sig`.
  const signature = parameters?.get('sig') ?? parameters?.get('signature');
  if (origin === undefined || keyId === undefined || signature === undefined) return undefined;
  return { origin, destination: parameters?.get('destination'), keyId, signature };
}

/**
 * > For compatibility with older servers, the sender should only include one space after `X-Matrix`, only use lower-case
 * > names, avoid using backslashes in parameter values, and avoid including whitespace around the commas between name=value
 * > pairs.
 */
export function formatXMatrix(origin: string, destination: string, keyId: string, signature: string): string {
  return `X-Matrix origin="${origin}",destination="${destination}",key="${keyId}",sig="${signature}"`;
}
