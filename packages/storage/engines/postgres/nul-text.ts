/**
 * PostgreSQL has no text with NUL, which events may have in their type and state key. There, and only there, it stands as a
 * noncharacter and a zero: "code points that are permanently reserved for internal use", which UTF-8 has a form for. The
 * noncharacter itself stands as two of it. So each text has one form, all comparisons for equality hold, and what is put together
 * from such texts is the form of what is put together from the texts.
 *
 * Where JSON says what a list has, NUL is written as an escape, and all else as it is: the functions that take JSON apart put the
 * form of NUL in its place.
 */
const mark = '\uFDD0';
const nul = `${mark}0`;

/** Neither of the two looks at a text without these longer than a search for one character takes. */
export function toStoredText(text: string): string {
  const marked = text.includes(mark) ? text.replaceAll(mark, mark + mark) : text;
  return marked.includes('\0') ? marked.replaceAll('\0', nul) : marked;
}

export function fromStoredText(text: string): string {
  if (!text.includes(mark)) return text;
  return text.replace(/\uFDD0([0\uFDD0])/g, (_, after: string) => (after === '0' ? '\0' : mark));
}

/** SQL for a JSON text whose strings have the form of NUL. `\\\u0000` is a backslash, and no NUL. */
export const storedJson = (source: string): string =>
  `case when strpos(${source}, '\\u0000') > 0
    then regexp_replace(${source}, '(?<!\\\\)((?:\\\\\\\\)*)\\\\u0000', '\\1' || chr(${mark.charCodeAt(0)}) || '0', 'g')
    else ${source} end`;
