import { nearestName } from './nearest-name.ts';
import type { Problem, Raw, RawMapping } from './raw.ts';
import { emptyMapping } from './raw.ts';
import type { AnySection, Node } from './setting.ts';
import { allSettings, environmentName, flagName, rawFromText } from './setting.ts';

/** A value given outside the file: by an environment variable or a flag. */
type Override = { readonly name: string; readonly value: string };

/**
 * Variables that are not meant for the configuration: those of our own tests, and those that container platforms set
 * for a service that happens to be called portico (`PORTICO_PORT_8008_TCP=tcp://…`, `PORTICO_SERVICE_HOST=…`).
 */
const foreignVariables = /^PORTICO_(?:TEST_|PORT(?:_\d|$)|SERVICE_(?:HOST|PORT))/;

/** Reads the environment's `PORTICO_…` variables. An empty one counts as not set. */
export function readEnvironment(
  schema: AnySection,
  environment: Readonly<Record<string, string | undefined>>,
  problems: Problem[],
): RawMapping {
  const known = new Map(allNodes(schema).map((node) => [environmentName(node.path), node]));
  let mapping = emptyMapping('the environment');
  for (const [name, value] of Object.entries(environment).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith('PORTICO_') || foreignVariables.test(name) || value === undefined || value === '') continue;
    const node = known.get(name);
    if (node) mapping = mergeRaw(schema, mapping, readOverride(node, { name, value }, problems));
    else {
      const message = `${name} is not a setting; the nearest one is ${nearestName(name, [...known.keys()])}`;
      problems.push({ origin: 'the environment', message });
    }
  }
  return mapping;
}

/** Reads the settings among the flags of a command: `--registration-mode open`. */
export function readFlags(schema: AnySection, flags: ReadonlyMap<string, string>, problems: Problem[]): RawMapping {
  let mapping = emptyMapping('the command line');
  for (const { path, setting } of allSettings(schema)) {
    const value = flags.get(flagName(path));
    if (value === undefined) continue;
    const override = { name: `--${flagName(path)}`, value };
    mapping = mergeRaw(
      schema,
      mapping,
      readOverride({ path, structured: setting.type.structured }, override, problems),
    );
  }
  return mapping;
}

type NamedNode = { readonly path: readonly string[]; readonly structured: boolean };

function allNodes(node: Node, path: readonly string[] = []): NamedNode[] {
  if (node.kind === 'setting') return [{ path, structured: node.type.structured }];
  const below = Object.entries(node.members).flatMap(([name, member]) => allNodes(member, [...path, name]));
  return path.length === 0 ? below : [{ path, structured: true }, ...below];
}

function readOverride(node: NamedNode, { name, value }: Override, problems: Problem[]): RawMapping {
  try {
    const raw = rawFromText(value, name, node.structured);
    return raw ? nest(node.path, raw) : emptyMapping(name);
  } catch {
    problems.push({ origin: name, message: `${node.path.join('.')} must be given as JSON here, and this is not JSON` });
    return emptyMapping(name);
  }
}

function nest(path: readonly string[], raw: Raw): RawMapping {
  const [name, ...rest] = path;
  const inner = rest.length === 0 ? raw : nest(rest, raw);
  return { kind: 'mapping', origin: raw.origin, entries: new Map([[name ?? '', inner]]) };
}

/** What `over` says wins, setting by setting: a list or an object that is one setting is replaced as a whole. */
export function mergeRaw(schema: AnySection, under: RawMapping, over: RawMapping): RawMapping {
  const entries = new Map(under.entries);
  for (const [name, value] of over.entries) {
    const below = entries.get(name);
    const member = schema.members[name];
    const merge = member?.kind === 'section' && below?.kind === 'mapping' && value.kind === 'mapping';
    entries.set(name, merge ? mergeRaw(member, below, value) : value);
  }
  return { ...under, entries };
}
