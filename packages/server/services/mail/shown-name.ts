const blanks = /[\p{Cc}\p{Zl}\p{Zp}\p{Zs}]+/gu;
/** What turns the text around it round, and is nothing that a name needs. */
const turning = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;
const unseen = /[\p{Default_Ignorable_Code_Point}\u2800\s]/gu;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;

/**
 * A name that somebody has chosen, as it may stand in a sentence of an email: one line, not longer than so many characters, and
 * without effect on what stands around it. `undefined` for one in which there is nothing to see.
 */
export function shownName(name: string, most: number): string | undefined {
  const line = name
    .slice(0, most * 10)
    .toWellFormed()
    .replaceAll(blanks, ' ')
    .replaceAll(turning, '')
    .trim();
  if (line.replaceAll(unseen, '') === '') return undefined;
  const characters = Array.from(line);
  const text = characters.length > most ? `${characters.slice(0, most).join('')}…` : line;
  // "FIRST STRONG ISOLATE" and its end: {@link https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates}
  return rightToLeft.test(text) ? `\u2068${text}\u2069` : text;
}
