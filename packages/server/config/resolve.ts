import { nearestName } from './nearest-name.ts';
import type { Problem, Raw, RawMapping } from './raw.ts';
import { quoteRaw } from './raw.ts';
import type { AnySection, Setting } from './setting.ts';
import { allSettings, camelCase, rawFromText } from './setting.ts';

type Resolving = { readonly base: string; readonly problems: Problem[]; readonly allNames: readonly string[] };

/** Turns what was written into the values of a section, complete with defaults, reporting everything that is wrong. */
export function resolveSection(
  schema: AnySection,
  raw: RawMapping,
  { base, problems }: { base: string; problems: Problem[] },
): Record<string, unknown> {
  const allNames = allSettings(schema).map(({ path }) => path.join('.'));
  return resolveBelow(schema, raw, [], { base, problems, allNames });
}

function resolveBelow(
  schema: AnySection,
  raw: Raw | undefined,
  path: readonly string[],
  resolving: Resolving,
): Record<string, unknown> {
  const written = raw?.kind === 'mapping' ? raw.entries : new Map<string, Raw>();
  if (raw && raw.kind !== 'mapping') {
    const message = `${path.join('.')} is ${quoteRaw(raw)}: it must be a section with ${Object.keys(schema.members).join(', ')}`;
    resolving.problems.push({ origin: raw.origin, message });
  }
  for (const [name, { origin }] of written) {
    if (Object.hasOwn(schema.members, name)) continue;
    const full = [...path, name].join('.');
    const message = `${full} is not a setting; the nearest one is ${nearestName(full, resolving.allNames)}`;
    resolving.problems.push({ origin, message });
  }
  const values: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(schema.members)) {
    const here = [...path, name];
    const value = written.get(name);
    values[camelCase(name)] =
      member.kind === 'section'
        ? resolveBelow(member, value, here, resolving)
        : resolveSetting(member, value, here.join('.'), resolving);
  }
  return values;
}

function resolveSetting(setting: Setting<unknown>, raw: Raw | undefined, path: string, resolving: Resolving): unknown {
  const context = { path, base: resolving.base, secret: setting.secret, problems: resolving.problems };
  if (raw) return setting.type.parse(raw, context);
  if (setting.default === undefined) return undefined;
  const standard = rawFromText(setting.default, 'the default', setting.type.structured);
  return standard && setting.type.parse(standard, context);
}
