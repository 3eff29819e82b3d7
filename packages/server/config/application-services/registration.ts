import { isCompliantUserId, parseUserId } from '@portico/protocol/ids/user-id.ts';
import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import { quoteRaw, type Problem, type Raw, type RawMapping } from '../raw.ts';
import { boolean, text, webAddress } from '../scalar-types.ts';
import { list } from '../structured-types.ts';
import { reportWrong, scalarType, type ValueType } from '../value-type.ts';
import { compileNamespace } from './namespace-regex.ts';

/** Names that an application service is interested in. `exclusive`: nobody else may make any of them. */
export type Namespace = {
  readonly regex: string;
  readonly exclusive: boolean;
  readonly matches: (name: string) => boolean;
};

/** {@link https://spec.matrix.org/v1.19/application-service-api/#registration} */
export type Registration = {
  readonly id: string;
  /** `undefined` where nothing is to be sent. */
  readonly url: string | undefined;
  readonly asToken: string;
  readonly hsToken: string;
  readonly senderLocalpart: string;
  readonly rateLimited: boolean;
  readonly receiveEphemeral: boolean;
  /** Whether device lists and counts of one-time keys are sent along (MSC3202). */
  readonly deviceLists: boolean;
  readonly protocols: readonly string[];
  readonly namespaces: { readonly [kind in NamespaceKind]: readonly Namespace[] };
};

export const namespaceKinds = ['users', 'aliases', 'rooms'] as const;
export type NamespaceKind = (typeof namespaceKinds)[number];

/** What may stand in a header behind `Bearer`. */
const token = scalarType('a token of visible ASCII characters', (value) =>
  /^[\x21-\x7e]{1,1000}$/.test(value) ? value : undefined,
);

const regex = scalarType('a regular expression of RE2 syntax, with at most 1,000 characters', (value) => {
  const matches = compileNamespace(value);
  return matches && { regex: value, matches };
});

/** A path as well as an address: bridges may live below one. */
const address: ValueType<string | undefined> = {
  description: `${webAddress.description}, or null`,
  structured: false,
  parse: (raw, context) => (raw.kind === 'scalar' && raw.text === '' ? undefined : webAddress.parse(raw, context)),
};

type Reading = { readonly fields: RawMapping; readonly problems: Problem[] };

const secrets: ReadonlySet<string> = new Set(['as_token', 'hs_token']);

function read<T>({ fields, problems }: Reading, name: string, type: ValueType<T>): T | undefined {
  const raw = fields.entries.get(name);
  return raw && type.parse(raw, { path: name, base: '', secret: secrets.has(name), problems });
}

function require<T>(reading: Reading, name: string, type: ValueType<T>): T | undefined {
  if (!reading.fields.entries.has(name)) {
    const message = `${name} is missing: it must be ${type.description}`;
    reading.problems.push({ origin: reading.fields.origin, message });
  }
  return read(reading, name, type);
}

/**
 * The registration that a file describes; `undefined` if anything is wrong with it, which is reported. Fields that are not
 * known are for somebody else: bridges put further ones into their files.
 */
export function parseRegistration(
  fields: RawMapping,
  serverName: ServerName,
  problems: Problem[],
): Registration | undefined {
  const before = problems.length;
  const reading = { fields, problems };
  // Bridges put random text there, capitals included, and act as users of their namespaces.
  const localpart = scalarType('the local part of a user ID: visible ASCII characters but ":"', (value) => {
    const userId = parseUserId(`@${value}:${serverName}`);
    return userId !== undefined && isCompliantUserId(userId) ? value : undefined;
  });
  const [id, asToken, hsToken, senderLocalpart] = [
    require(reading, 'id', text),
    require(reading, 'as_token', token),
    require(reading, 'hs_token', token),
    require(reading, 'sender_localpart', localpart),
  ];
  const url = read(reading, 'url', address);
  const namespaces = readNamespaces(reading);
  const isOn = (...names: string[]) => names.some((name) => read(reading, name, boolean) === true);
  const rest = {
    rateLimited: read(reading, 'rate_limited', boolean) ?? true,
    receiveEphemeral: isOn('receive_ephemeral', 'de.sorunome.msc2409.push_ephemeral', 'push_ephemeral'),
    deviceLists: isOn('org.matrix.msc3202'),
    protocols: read(reading, 'protocols', list(text)) ?? [],
  };
  if (problems.length > before || !id || !asToken || !hsToken || !senderLocalpart || !namespaces) return undefined;
  return { id, url, asToken, hsToken, senderLocalpart, namespaces, ...rest };
}

function readNamespaces({ fields, problems }: Reading): Registration['namespaces'] | undefined {
  const raw = fields.entries.get('namespaces');
  const expected = `an object of ${namespaceKinds.join(', ')}`;
  if (raw?.kind !== 'mapping') {
    const message = raw
      ? `namespaces is ${quoteRaw(raw)}: it must be ${expected}`
      : `namespaces is missing: it must be ${expected}`;
    problems.push({ origin: (raw ?? fields).origin, message });
    return undefined;
  }
  const item = namespaceItem(problems);
  const ofKind = (kind: NamespaceKind): readonly Namespace[] => {
    const given = raw.entries.get(kind);
    return given
      ? (list(item).parse(given, { path: `namespaces.${kind}`, base: '', secret: false, problems }) ?? [])
      : [];
  };
  return { users: ofKind('users'), aliases: ofKind('aliases'), rooms: ofKind('rooms') };
}

function namespaceItem(problems: Problem[]): ValueType<Namespace> {
  return {
    description: 'an object of regex, exclusive',
    structured: true,
    parse(raw: Raw, context) {
      if (raw.kind !== 'mapping') return reportWrong(raw, context, 'an object of regex, exclusive');
      const below = (name: string) => ({ ...context, path: `${context.path}.${name}` });
      const [given, exclusive] = [raw.entries.get('regex'), raw.entries.get('exclusive')];
      if (given === undefined || exclusive === undefined) {
        const missing = given === undefined ? 'regex' : 'exclusive';
        problems.push({ origin: raw.origin, message: `${context.path}.${missing} is missing` });
        return undefined;
      }
      const expression = regex.parse(given, below('regex'));
      const isExclusive = boolean.parse(exclusive, below('exclusive'));
      return expression && isExclusive !== undefined ? { ...expression, exclusive: isExclusive } : undefined;
    },
  };
}
