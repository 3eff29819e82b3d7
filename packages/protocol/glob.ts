import { indexOfPattern } from './glob-search.ts';

export type GlobMatcher = (text: string) => boolean;

/** Whether a pattern is anything but a literal. */
export function isGlob(pattern: string): boolean {
  return pattern.includes('*') || pattern.includes('?');
}

/**
 * Matches whole strings.
 *
 * > The character `*` matches zero or more characters. `?` matches exactly one character.
 *
 * {@link https://spec.matrix.org/v1.19/appendices/#glob-style-matching}
 *
 * A character is a code point. Patterns come from anybody, so there is no backtracking and no regular expression: the
 * parts between stars are found one after the other, the leftmost match each, and the text is passed over once.
 */
export function compileGlob(pattern: string, options: { readonly ignoreCase?: boolean } = {}): GlobMatcher {
  const fold = options.ignoreCase === true ? (text: string) => text.toLowerCase() : (text: string) => text;
  const folded = fold(pattern);
  if (!isGlob(folded)) return (text) => fold(text) === folded;
  const literals = folded.split('*');
  const matchPlainly = folded.includes('?') ? undefined : literals;
  let parts: readonly (readonly number[])[] | undefined;
  return (text) => {
    const subject = fold(text);
    if (matchPlainly !== undefined && subject.length <= shortText) return matchLiterals(matchPlainly, subject);
    parts ??= literals.map(toCodePoints);
    return matchParts(parts, toCodePoints(subject));
  };
}

/**
 * As {@link compileGlob}, for patterns of which there are too many to keep them compiled: most are told apart from the
 * text by their beginning or their end.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  const { length } = pattern;
  let start = 0;
  for (; start < length; start++) {
    const unit = pattern.charCodeAt(start);
    if (unit === star || unit === wildcard) break;
    if (unit !== text.charCodeAt(start)) return false;
  }
  if (start === length) return text.length === length;
  for (let fromEnd = 1; ; fromEnd++) {
    const unit = pattern.charCodeAt(length - fromEnd);
    if (unit === star || unit === wildcard) break;
    if (unit !== text.charCodeAt(text.length - fromEnd)) return false;
  }
  if (lacksPart(pattern, start, text)) return false;
  return compileGlob(pattern)(text);
}

/** Whether what stands between the first star and the next is nowhere in a text. */
function lacksPart(pattern: string, first: number, text: string): boolean {
  const next = pattern.indexOf('*', first + 1);
  if (pattern.charCodeAt(first) !== star || next <= first + 1) return false;
  const part = pattern.slice(first + 1, next);
  return !part.includes('?') && !text.includes(part);
}

/** Identifiers and server names: the engine's own search is fastest, and at this length it cannot cost much. */
const shortText = 1024;

function matchLiterals(literals: readonly string[], text: string): boolean {
  const first = literals[0] ?? '';
  const last = literals.at(-1) ?? '';
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let position = first.length;
  for (let index = 1; index < literals.length - 1; index++) {
    const literal = literals[index] ?? '';
    const found = text.indexOf(literal, position);
    if (found === -1) return false;
    position = found + literal.length;
  }
  return position <= end;
}

const star = '*'.charCodeAt(0);
const wildcard = '?'.charCodeAt(0);

function matchParts(parts: readonly (readonly number[])[], text: readonly number[]): boolean {
  const first = parts[0] ?? [];
  const last = parts.at(-1) ?? [];
  if (!matchesAt(first, text, 0)) return false;
  if (parts.length === 1) return text.length === first.length;
  const end = text.length - last.length;
  if (end < first.length) return false;
  if (!matchesAt(last, text, end)) return false;
  let position = first.length;
  for (let index = 1; index < parts.length - 1; index++) {
    const part = parts[index] ?? [];
    const found = indexOfPattern(text, part, wildcard, position, end);
    if (found === -1) return false;
    position = found + part.length;
  }
  return position <= end;
}

function matchesAt(part: readonly number[], text: readonly number[], start: number): boolean {
  for (let index = 0; index < part.length; index++) {
    if (part[index] !== wildcard && part[index] !== text[start + index]) return false;
  }
  return true;
}

function toCodePoints(text: string): readonly number[] {
  const points: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const point = text.codePointAt(index) as number;
    points.push(point);
    if (point > 0xffff) index += 1;
  }
  return points;
}
