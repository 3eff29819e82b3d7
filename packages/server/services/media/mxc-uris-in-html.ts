/** Characters of an `mxc://` address that have a name in HTML. */
const named: Readonly<Record<string, string>> = { colon: ':', sol: '/', period: '.', lowbar: '_' };
const reference = /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(colon|sol|period|lowbar)(?=;));?/gi;

const mxcUri = /mxc:\/\/[\w.:[\]-]{1,255}\/[\w-]{1,255}/g;

/**
 * All that may be the address of a picture, whatever tag it is in: who reads HTML with anything less than a parser of it had better find
 * too much. References stand for characters, and hide an address from nobody who is shown it.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#mroommessage-msgtypes}
 */
export function mxcUrisInHtml(html: string): string[] {
  return html.replaceAll(reference, toCharacter).match(mxcUri) ?? [];
}

function toCharacter(whole: string, hexadecimal?: string, decimal?: string, name?: string): string {
  if (name !== undefined) return named[name] ?? whole;
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
}
