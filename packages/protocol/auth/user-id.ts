/** What follows the first colon of a user, room or event ID: the server it belongs to. */
export function domainOf(id: string): string | undefined {
  const colon = id.indexOf(':');
  return colon === -1 ? undefined : id.slice(colon + 1);
}

/**
 * Whether a string can be a user ID in a room, which includes historical ones: "servers MUST accept user IDs with
 * localparts consisting of any legal non-surrogate Unicode code points except for `:` and `NUL`", the empty string too.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#historical-user-ids}
 */
export function isUserId(id: string): boolean {
  return id.startsWith('@') && id.includes(':') && !id.includes('\0') && utf8LengthAtMost(id, 255);
}

function utf8LengthAtMost(text: string, limit: number): boolean {
  return text.length * 3 <= limit || new TextEncoder().encode(text).length <= limit;
}
