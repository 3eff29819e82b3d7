/**
 * The file name in a `Content-Disposition` header: the extended form before the plain one.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc6266.html#section-4.3}
 */
export function fileNameIn(disposition: string | undefined): string | undefined {
  if (disposition === undefined || disposition.length > longest) return undefined;
  const [, encoded] = /;\s*filename\*\s*=\s*utf-8'[^']*'([^\s;]+)/i.exec(disposition) ?? [];
  const extended = encoded === undefined ? undefined : decode(encoded);
  if (extended !== undefined) return extended;
  const [, quoted, plain] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))/i.exec(disposition) ?? [];
  return checked(quoted?.replaceAll(/\\(.)/g, '$1') ?? plain);
}

const longest = 8192;

function decode(text: string): string | undefined {
  try {
    return checked(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

/** Without what is no text that can be stored, or none that names a file. */
function checked(name: string | undefined): string | undefined {
  const text = name
    ?.toWellFormed()
    .replaceAll(/\p{Cc}/gu, '')
    .slice(0, 1024);
  return text === '' ? undefined : text;
}
