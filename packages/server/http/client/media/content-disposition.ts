/** Characters that are themselves in a quoted string of a header. */
const plainName = /^[\x20-\x7e]*$/;

/** {@link https://www.rfc-editor.org/rfc/rfc8187.html#section-3.2.1} */
function extendedValue(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `UTF-8''${encoded}`;
}

/**
 * A `Content-Disposition` header. Whatever the name is, it ends neither its value nor the header.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc6266.html}
 */
export function contentDisposition(disposition: 'inline' | 'attachment', name: string | undefined): string {
  if (name === undefined) return disposition;
  if (!plainName.test(name)) return `${disposition}; filename*=${extendedValue(name)}`;
  return `${disposition}; filename="${name.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
