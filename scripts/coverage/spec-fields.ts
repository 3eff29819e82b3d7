import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

type Json = Readonly<Record<string, unknown>>;

/** A part of one of the spec's documents, and the file that its references are relative to. */
type Place = { readonly node: Json; readonly file: string };

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;

/** Follows references, which lead to files and to parts of them. */
function resolve(value: unknown, file: string): Place {
  if (!isObject(value)) return { node: {}, file };
  const reference = value['$ref'];
  if (typeof reference !== 'string') return { node: value, file };
  const [path = '', fragment = ''] = reference.split('#');
  const target = path === '' ? file : join(dirname(file), path);
  let found: unknown = parse(readFileSync(target, 'utf8'));
  for (const step of fragment.split('/').filter((part) => part !== ''))
    found = isObject(found) ? found[step] : undefined;
  return resolve(found, target);
}

/** The names of a JSON object's own members, whatever it is put together from. */
function membersOf(schema: unknown, from: string): string[] {
  const { node, file } = resolve(schema, from);
  const parts = ['allOf', 'oneOf', 'anyOf'].flatMap((keyword) => (node[keyword] ?? []) as unknown[]);
  return [...Object.keys(node['properties'] ?? {}), ...parts.flatMap((part) => membersOf(part, file))];
}

function jsonSchemaOf(value: unknown, from: string): { readonly schema: unknown; readonly file: string } {
  const { node, file } = resolve(value, from);
  const content = resolve(resolve(node['content'], file).node['application/json'], file).node;
  return { schema: content['schema'], file };
}

export type SpecFields = {
  readonly query: readonly string[];
  readonly body: readonly string[];
  /** Of the good answer. */
  readonly answer: readonly string[];
};

/** What an operation takes and answers, by name. */
export function fieldsOf(operation: Json, file: string): SpecFields {
  const parameters = ((operation['parameters'] ?? []) as unknown[]).map((each) => resolve(each, file));
  const body = jsonSchemaOf(operation['requestBody'], file);
  const responses = (operation['responses'] ?? {}) as Json;
  const answer = jsonSchemaOf(responses['200'] ?? responses['201'], file);
  const unique = (names: readonly string[]) => [...new Set(names)].sort();
  return {
    query: unique(parameters.filter(({ node }) => node['in'] === 'query').map(({ node }) => String(node['name']))),
    body: unique(membersOf(body.schema, body.file)),
    answer: unique(membersOf(answer.schema, answer.file)),
  };
}
