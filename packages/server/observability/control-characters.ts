/**
 * A line of the log, as JSON, without characters that do something to a terminal or a pager instead of being seen: names and
 * errors in it come from anybody. Line breaks and tabs stay; neither begins a line of the log.
 */
export function withoutControls(line: string): string {
  return mayHoldControl.test(line) ? line.replaceAll(escapeOrControl, replace) : line;
}

const mayHoldControl = /\\u00|\\[bfr]|[\x7f-\x9f]/i;
// An escaped backslash is passed over together with what it stands for.
const escapeOrControl = /\\(?:u00(?:[01][0-9a-f]|7f|[89][0-9a-f])|[^u])|[\x7f-\x9f]/gi;
const kept: ReadonlySet<string> = new Set(['\\"', '\\\\', '\\/', '\\n', '\\t']);

function replace(found: string): string {
  return kept.has(found) ? found : '\ufffd';
}
