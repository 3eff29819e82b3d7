import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import type { Config, Listener } from './config.ts';
import type { DatabaseLocation } from './portico-types.ts';
import type { Problem, RawMapping } from './raw.ts';
import type { schema } from './schema.ts';
import type { ValuesOf } from './setting.ts';

type Values = ValuesOf<typeof schema>;

/** Adds what follows from several settings together, and checks what only they together can get wrong. */
export function completeConfig(
  values: Values,
  extra: Pick<Config, 'file' | 'files' | 'testing' | 'applicationServices' | 'smtp' | 'identityProviders'>,
): Config {
  return deepFreeze({
    ...values,
    ...extra,
    publicBaseUrl: values.publicBaseUrl ?? defaultBaseUrl(values.listeners),
    database: completeDatabase(values.database, values.dataDir),
  });
}

function completeDatabase(database: DatabaseLocation, dataDir: string): DatabaseLocation {
  if (database.kind === 'postgres') return database;
  const path = resolve(dataDir, database.path);
  return { kind: 'sqlite', path, url: `sqlite:${path}` };
}

export function checkListeners(listeners: readonly Listener[], raw: RawMapping, problems: Problem[]): void {
  const written = raw.entries.get('listeners');
  const taken = new Set<string>();
  for (const [index, { address, port, serve }] of listeners.entries()) {
    const origin = (written?.kind === 'list' ? written.items[index]?.origin : written?.origin) ?? 'the default';
    const place = `${address}:${port}`;
    if (port !== 0 && taken.has(place)) {
      problems.push({ origin, message: `listeners[${index}] is ${place}, which an earlier listener has already` });
    }
    taken.add(place);
    if (serve.includes('metrics') && serve.length > 1) {
      const message = `listeners[${index}].serve is ${serve.join(', ')}: metrics needs a listener of its own`;
      problems.push({ origin, message });
    }
  }
}

/** The address of a listener as a person would type it. */
export function listenerUrl({ address, port, tls }: Listener): string {
  const local = ['127.0.0.1', '::1', '0.0.0.0', '::'].includes(address);
  const host = local ? 'localhost' : isIPv6(address) ? `[${address}]` : address;
  return `${tls ? 'https' : 'http'}://${host}:${port}`;
}

function defaultBaseUrl(listeners: readonly Listener[]): string {
  const first = listeners.find(({ serve }) => serve.includes('client')) ?? listeners[0];
  return first ? listenerUrl(first) : 'http://localhost:8008';
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
