const decimalByte = /^(?:[0-9]{1,2}|[01][0-9]{2}|2[0-4][0-9]|25[0-5])$/;

/**
 * > IPv4 literals must be a sequence of four decimal numbers in the range 0 to 255, separated by `.`.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#server-name}
 */
export function isIpv4Literal(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => decimalByte.test(part));
}

const group = /^[0-9A-Fa-f]{1,4}$/;

/**
 * Eight groups of up to four hexadecimal digits; `::` once for a run of zeros; an IPv4 literal for the last two groups.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc3513#section-2.2}
 */
export function isIpv6Literal(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const [left = '', right] = halves;
  const before = countGroups(left, right === undefined);
  if (right === undefined) return before === 8;
  const after = countGroups(right, true);
  // `::` stands for at least one group.
  return before !== undefined && after !== undefined && before + after <= 7;
}

/** How many groups a part without `::` holds, or `undefined` if it is malformed. */
function countGroups(part: string, mayEndInIpv4: boolean): number | undefined {
  if (part === '') return 0;
  const groups = part.split(':');
  const last = groups.at(-1) ?? '';
  const endsInIpv4 = mayEndInIpv4 && isIpv4Literal(last);
  const hexadecimal = endsInIpv4 ? groups.slice(0, -1) : groups;
  if (!hexadecimal.every((text) => group.test(text))) return undefined;
  return hexadecimal.length + (endsInIpv4 ? 2 : 0);
}
