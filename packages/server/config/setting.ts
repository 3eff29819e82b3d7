import { rawFromJson, scalarFromText } from './raw.ts';
import type { Raw } from './raw.ts';
import type { ValueType } from './value-type.ts';

export type Setting<T> = {
  readonly kind: 'setting';
  readonly type: ValueType<T>;
  /** As a person would write it in the environment: a word, or JSON for lists and objects. */
  readonly default: string | undefined;
  /** What stands for the default in documentation, where it is not a fixed value. */
  readonly defaultIs: string | undefined;
  readonly help: string;
  /** Flow YAML that shows what one would write, where the default does not. */
  readonly example: string | undefined;
  readonly secret: boolean;
};

export type Section<Members> = { readonly kind: 'section'; readonly help: string; readonly members: Members };
/** Any section, whatever its members. */
export interface AnySection {
  readonly kind: 'section';
  readonly help: string;
  readonly members: Readonly<Record<string, Node>>;
}
export type Node = Setting<unknown> | AnySection;

type Details = { help: string; example?: string; secret?: boolean; defaultIs?: string };

export function setting<T>(type: ValueType<T>, details: Details & { default: string }): Setting<T> {
  return { ...complete(details), type, default: details.default };
}

/** A setting that may be absent: `undefined` in the configuration. */
export function optional<T>(type: ValueType<T>, details: Details): Setting<T | undefined> {
  return { ...complete(details), type, default: undefined };
}

function complete({ help, example, secret = false, defaultIs }: Details) {
  return { kind: 'setting' as const, help, example, secret, defaultIs };
}

export function section<const Members extends Record<string, Node>>(help: string, members: Members): Section<Members> {
  return { kind: 'section', help, members };
}

type Camel<S> = S extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : S;

/** The configuration that a schema describes: its names in camelCase, its values as their types parse them. */
export type ValuesOf<N> =
  N extends Setting<infer T>
    ? T
    : N extends Section<infer Members>
      ? { readonly [K in keyof Members as Camel<K & string>]: ValuesOf<Members[K]> }
      : never;

export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

export type NamedSetting = { readonly path: readonly string[]; readonly setting: Setting<unknown> };

/** Every setting below a node, in the order of the schema. */
export function allSettings(node: Node, path: readonly string[] = []): NamedSetting[] {
  if (node.kind === 'setting') return [{ path, setting: node }];
  return Object.entries(node.members).flatMap(([name, member]) => allSettings(member, [...path, name]));
}

export function environmentName(path: readonly string[]): string {
  return `PORTICO_${path.join('_').toUpperCase()}`;
}

export function flagName(path: readonly string[]): string {
  return path.join('-').replaceAll('_', '-');
}

/** Reads a value given as one string: by the environment, the command line, or as the default in the schema. */
export function rawFromText(value: string, origin: string, structured: boolean): Raw | undefined {
  return structured ? rawFromJson(JSON.parse(value), origin) : scalarFromText(value, origin);
}
