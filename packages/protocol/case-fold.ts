/** Letters whose folded form is not that of their capital: dotless i, and the Cherokee letters, which fold to capitals. */
const exceptions = /[\u0131\u13a0-\u13fd\uab70-\uabbf]/u;

/**
 * Full case folding: what differs in the case of its letters alone has the same folded form, `ß`, `ẞ` and `SS` included.
 *
 * It is made of the mappings to small letters and capitals that the runtime has, a character at a time, since in whole words
 * they depend on what stands beside.
 *
 * {@link https://www.unicode.org/versions/Unicode13.0.0/ch05.pdf#G21790}
 */
export function caseFold(text: string): string {
  let folded = '';
  for (const character of text) folded += foldCharacter(character);
  return folded;
}

function foldCharacter(character: string): string {
  if (character <= '\u007f') return character.toLowerCase();
  if (exceptions.test(character)) return character === '\u0131' ? character : character.toUpperCase();
  let folded = '';
  for (const capital of character.toLowerCase().toUpperCase()) folded += capital.toLowerCase();
  return folded;
}
