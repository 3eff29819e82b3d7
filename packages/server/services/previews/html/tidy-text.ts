/** Text as it is read: one space for any white space, no control characters, no half characters, cut after a number of characters. */
export function tidyText(text: string, most: number): string | undefined {
  // Far more than can be left of it, so that the work does not depend on what somebody sends.
  const tidy = text
    .slice(0, most * 8)
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{White_Space}]+/gu, ' ')
    .trim();
  if (tidy === '') return undefined;
  const characters = Array.from(tidy);
  return characters.length <= most
    ? tidy
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`;
}
