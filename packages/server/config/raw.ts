import type { JsonValue } from '@portico/protocol';

/** Something a person wrote, wherever they wrote it, with the place an error message can point to. */
export type Raw =
  | { readonly kind: 'scalar'; readonly origin: string; readonly value: unknown; readonly text: string }
  | { readonly kind: 'list'; readonly origin: string; readonly items: readonly Raw[] }
  | { readonly kind: 'mapping'; readonly origin: string; readonly entries: ReadonlyMap<string, Raw> };

export type RawMapping = Extract<Raw, { kind: 'mapping' }>;

export type Problem = { readonly origin: string; readonly message: string };

export function emptyMapping(origin: string): RawMapping {
  return { kind: 'mapping', origin, entries: new Map() };
}

export function scalarFromText(text: string, origin: string): Raw {
  return { kind: 'scalar', origin, value: text, text };
}

/** Null stands for "not given", so that `shared_secret:` with nothing behind it means the default. */
export function rawFromJson(value: unknown, origin: string): Raw | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) {
    return { kind: 'list', origin, items: value.map((item) => rawFromJson(item, origin)).filter((item) => !!item) };
  }
  if (typeof value === 'object') {
    const entries = new Map<string, Raw>();
    for (const [key, item] of Object.entries(value)) {
      const raw = rawFromJson(item, origin);
      if (raw) entries.set(key, raw);
    }
    return { kind: 'mapping', origin, entries };
  }
  return { kind: 'scalar', origin, value, text: typeof value === 'string' ? value : JSON.stringify(value) };
}

export function rawToJson(raw: Raw): JsonValue {
  switch (raw.kind) {
    case 'list':
      return raw.items.map(rawToJson);
    case 'mapping':
      return Object.fromEntries(Array.from(raw.entries, ([key, value]) => [key, rawToJson(value)]));
    case 'scalar':
      return typeof raw.value === 'number' || typeof raw.value === 'boolean' ? raw.value : raw.text;
    default:
      return raw satisfies never;
  }
}

/** How a value is quoted in a message: as JSON, cut short, without the password of an address. */
export function quoteRaw(raw: Raw): string {
  if (raw.kind === 'scalar') {
    const text = JSON.stringify(raw.value).replace(/(:\/\/[^:@/]*):[^@]*@/, '$1:…@');
    return text.length > 80 ? `${text.slice(0, 77)}…` : text;
  }
  return raw.kind === 'list' ? 'a list' : 'an object';
}
