export type ReceivedMail = {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the wire. */
  readonly raw: string;
  /** By name in small letters, unfolded. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly text: string;
  readonly html: string;
};

type Part = { readonly headers: ReadonlyMap<string, readonly string[]>; readonly body: string };

/** Reads a message of two alternatives, as programs that show mail do. */
export function parseMail(raw: string, envelope: Pick<ReceivedMail, 'from' | 'to'>): ReceivedMail {
  const whole = splitPart(raw);
  const boundary = /boundary="?([^";]+)"?/.exec(headerOf(whole, 'content-type'))?.[1];
  const pieces = boundary === undefined ? [] : whole.body.split(`--${boundary}`).slice(1, -1);
  const parts = pieces.map((part) => splitPart(part.replace(/^\r\n/, '').replace(/\r\n$/, '')));
  const find = (type: string): string => {
    const part = parts.find((each) => headerOf(each, 'content-type').startsWith(type));
    return part === undefined ? '' : decode(part);
  };
  return { ...envelope, raw, headers: whole.headers, text: find('text/plain'), html: find('text/html') };
}

function splitPart(raw: string): Part {
  const end = raw.indexOf('\r\n\r\n');
  const lines = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n');
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()]);
  }
  return { headers, body: raw.slice(end + 4) };
}

function headerOf({ headers }: Part, name: string): string {
  return headers.get(name)?.[0] ?? '';
}

function decode(part: Part): string {
  const encoding = headerOf(part, 'content-transfer-encoding').toLowerCase();
  if (encoding === 'base64') return Buffer.from(part.body, 'base64').toString('utf8');
  if (encoding !== 'quoted-printable') return part.body;
  const bytes = part.body
    .replaceAll(/=\r\n/g, '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
