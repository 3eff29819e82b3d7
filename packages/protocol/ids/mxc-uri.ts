import { parseServerName, type ServerName } from './server-name.ts';

/** Where media are: the server that they were uploaded to, and their name there. */
export type MxcUri = { readonly serverName: ServerName; readonly mediaId: string };

const scheme = 'mxc://';
const mediaId = /^[A-Za-z0-9_-]{1,255}$/;

/**
 * `mxc://<server-name>/<media-id>`. Media IDs other than letters, digits, `_` and `-` are refused, for they become parts
 * of paths.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#matrix-content-mxc-uris}
 */
export function parseMxcUri(text: string): MxcUri | undefined {
  if (!text.startsWith(scheme)) return undefined;
  const slash = text.indexOf('/', scheme.length);
  if (slash === -1) return undefined;
  const serverName = parseServerName(text.slice(scheme.length, slash));
  const id = text.slice(slash + 1);
  return serverName === undefined || !isMediaId(id) ? undefined : { serverName, mediaId: id };
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#security-considerations-5} */
export function isMediaId(text: string): boolean {
  return mediaId.test(text);
}

/** `mxc://<server-name>/<media-id>`, the opposite of {@link parseMxcUri}. */
export function formatMxcUri(uri: MxcUri): string {
  return `${scheme}${uri.serverName}/${uri.mediaId}`;
}
