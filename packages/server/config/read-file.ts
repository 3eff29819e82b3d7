import { readFileSync } from 'node:fs';
import { isAlias, isMap, isPair, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { emptyMapping } from './raw.ts';
import type { Problem, Raw, RawMapping } from './raw.ts';

/** Reads the YAML file of the configuration, remembering the line of every value. */
export function readConfigFile(file: string, problems: Problem[]): RawMapping {
  const empty = emptyMapping(file);
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push({ origin: file, message: `the configuration file cannot be read: ${reason}` });
    return empty;
  }
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const originAt = (offset: number) => `${file}:${lines.linePos(offset).line}`;
  for (const { code, pos, message } of document.errors) {
    const isTwice = code === 'DUPLICATE_KEY';
    problems.push({ origin: originAt(pos[0]), message: isTwice ? twice(content.slice(pos[0])) : message });
  }
  const raw =
    document.errors.length === 0 && document.contents ? convert(document.contents, document, originAt) : empty;
  if (!raw || raw.kind === 'mapping') return raw ?? empty;
  problems.push({ origin: raw.origin, message: 'the file must be a list of `setting: value` lines' });
  return empty;
}

/** `rest` begins with the name. The file that `portico init` writes has every section already. */
function twice(rest: string): string {
  return `${/^[^\s:]*/.exec(rest)?.[0]} stands above already: everything that belongs to it goes there`;
}

function convert(node: Node, document: Document, originAt: (offset: number) => string): Raw | undefined {
  const origin = originAt(node.range?.[0] ?? 0);
  if (isAlias(node)) {
    const target = node.resolve(document);
    return target ? convert(target, document, originAt) : undefined;
  }
  if (isScalar(node)) {
    if (node.value === null) return undefined;
    // The source, since `0123` and `1.0` are meant literally where a setting is text.
    return { kind: 'scalar', origin, value: node.value, text: node.source ?? JSON.stringify(node.value) };
  }
  if (isSeq<Node>(node)) {
    const items = node.items.map((item) => convert(item, document, originAt)).filter((item) => item !== undefined);
    return { kind: 'list', origin, items };
  }
  const entries = new Map<string, Raw>();
  for (const pair of isMap<Node, Node | null>(node) ? node.items : []) {
    if (!isPair(pair) || !pair.value) continue;
    const value = convert(pair.value, document, originAt);
    const name = isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
    if (value) entries.set(name, { ...value, origin: originAt(pair.key.range?.[0] ?? 0) });
  }
  return { kind: 'mapping', origin, entries };
}
