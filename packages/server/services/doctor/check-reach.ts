import { isJsonObject, type JsonValue, type ServerName, splitServerName } from '@portico/protocol';
import { getServerKey, serverKeys } from '../../federation-api/server-keys.ts';
import { readKeyAnswer } from '../federation/keys/key-answer.ts';
import type { Config } from '../../config/config.ts';
import type { Discovery } from '../federation/discovery/discovery.ts';
import { routeOf } from '../outbound/fetch-url.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { Outbound } from '../outbound/outbound.ts';
import { headerText } from '../outbound/read-body.ts';
import { Check } from 'typebox/value';
import { fail, type Finding, isForTrying, ok, reasonOf, warn } from './finding.ts';

type Options = {
  readonly config: Pick<Config, 'publicBaseUrl' | 'federation'>;
  readonly serverName: ServerName;
  readonly keyId: string;
  readonly publicKey: string;
  /** One's own addresses may be private. */
  readonly asMyself: Looker;
  /** Goes where other servers would, and no further. */
  readonly asOthers: Looker;
};

export type Looker = { readonly discovery: Discovery; readonly outbound: Outbound };

/** Whether clients and other servers find this server where it says that it is. */
export async function checkReach(options: Options): Promise<Finding[]> {
  const isTried = isForTrying(options.serverName);
  return [
    await checkClients(options),
    ...(isTried ? [] : [await checkClientWellKnown(options)]),
    isTried
      ? ok('federation', `${options.serverName} is a name for trying things out`)
      : await checkFederation(options),
  ];
}

const answerLimit = 64 * 1024;
const timeout = 10_000;

async function ask(outbound: Outbound, address: string) {
  const url = new URL(address);
  return outbound.request({
    route: routeOf(url),
    method: 'GET',
    path: url.pathname,
    answerLimit,
    timeout,
    purpose: 'doctor',
    once: true,
  });
}

async function checkClients({ config, asMyself: { outbound } }: Options): Promise<Finding> {
  const address = `${config.publicBaseUrl.replace(/\/$/, '')}/_matrix/client/versions`;
  const advice = 'Look at public_base_url, at the reverse proxy, and whether the name leads to this machine.';
  try {
    const { status, headers, body } = await ask(outbound, address);
    const answer = parseOrNothing(body);
    if (status !== 200 || !isJsonObject(answer)) {
      return fail('clients', `${address} answers ${status}, with something else`, advice);
    }
    const origin = headerText(headers, 'access-control-allow-origin');
    if (origin === '*') return ok('clients', `reach the server at ${config.publicBaseUrl}`);
    return fail(
      'clients',
      `${address} answers with Access-Control-Allow-Origin: ${origin ?? 'nothing'}`,
      'Let the reverse proxy leave the headers of answers as they are: web clients need *.',
    );
  } catch (error) {
    return fail('clients', `${address}: ${reasonOf(error)}`, advice);
  }
}

async function checkClientWellKnown({ config, serverName, asMyself: { outbound } }: Options): Promise<Finding> {
  const host = splitServerName(serverName)?.host ?? '';
  const address = `https://${host}/.well-known/matrix/client`;
  const advice = 'See docs/operate/reverse-proxy.md: without it people must type the address of the server.';
  try {
    const { status, body } = await ask(outbound, address);
    const answer = status === 200 ? parseOrNothing(body) : null;
    const server = isJsonObject(answer) ? answer['m.homeserver'] : undefined;
    const base = server !== undefined && isJsonObject(server) ? server['base_url'] : undefined;
    if (typeof base !== 'string')
      return warn('well-known', `${address} answers ${status}, without m.homeserver`, advice);
    if (base.replace(/\/$/, '') === config.publicBaseUrl.replace(/\/$/, ''))
      return ok('well-known', `${address} leads here`);
    return fail('well-known', `${address} leads to ${base}, and public_base_url is ${config.publicBaseUrl}`, advice);
  } catch (error) {
    return warn('well-known', `${address}: ${reasonOf(error)}`, advice);
  }
}

async function checkFederation(options: Options): Promise<Finding> {
  const { config, serverName, keyId, publicKey, asOthers, asMyself } = options;
  if (!config.federation.enabled) return ok('federation', 'is off');
  const advice = 'See docs/operate/reverse-proxy.md: the well-known file for servers, port 8448, and the certificate.';
  const look = (looker: Looker) => askOwnKey(looker, { serverName, keyId, publicKey, advice });
  try {
    const wrong = await look(asOthers).catch((error: unknown) => {
      if (error instanceof OutboundError && error.failure === 'private-address') return undefined;
      throw error;
    });
    if (wrong === 'right') return ok('federation', `${serverName} leads to this server, with its key`);
    if (wrong !== undefined) return wrong;
    const again = await look(asMyself);
    if (again !== 'right') return again;
    const text = `${serverName} leads to this server, by an address that is private from here`;
    return warn('federation', text, 'Make sure that others get a public one: https://federationtester.matrix.org');
  } catch (error) {
    return fail('federation', `${serverName}: ${reasonOf(error)}`, advice);
  }
}

type Own = {
  readonly serverName: ServerName;
  readonly keyId: string;
  readonly publicKey: string;
  readonly advice: string;
};

/** Asks for the key as other servers do. Throws `OutboundError` where nobody answers. */
async function askOwnKey({ discovery, outbound }: Looker, own: Own): Promise<Finding | 'right'> {
  const { serverName, keyId, publicKey, advice } = own;
  const route = await discovery.findRoute(serverName);
  const { method, path } = getServerKey;
  const { status, body } = await outbound.request({
    route,
    method,
    path,
    answerLimit,
    timeout,
    purpose: 'doctor',
    once: true,
  });
  const place = route.targets.map(({ host, port }) => `${host}:${port}`).join(', ');
  const answer = status === 200 ? parseOrNothing(body) : null;
  if (!Check(serverKeys, answer)) return fail('federation', `${place} answers ${status}, and says no keys`, advice);
  const keys = readKeyAnswer(answer, serverName, false);
  if (keys === undefined)
    return fail('federation', `${place} answers as ${answer.server_name}, or without a right signature`, advice);
  const found = keys.find((key) => key.keyId === keyId);
  if (found?.publicKey === publicKey) return 'right';
  return fail('federation', `${place} is another server of this name: it has other keys`, advice);
}

/** `null` for what is no JSON. */
function parseOrNothing(body: Buffer): JsonValue {
  try {
    return JSON.parse(body.toString('utf8')) as JsonValue;
  } catch {
    return null;
  }
}
