import { isJsonObject, type JsonObject, type JsonValue } from '@portico/protocol';
import { MatrixError } from '../../errors/matrix-error.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { AppServiceClient } from './app-service-client.ts';
import type { AppService } from './app-service.ts';
import type { AppServices } from './app-services.ts';

export type ThirdPartyFields = Readonly<Record<string, string>>;

/** What application services know of the networks that they lead to. */
export interface ThirdParty {
  protocols(): Promise<{ readonly [protocol: string]: JsonObject }>;
  protocol(name: string): Promise<JsonObject>;
  /** Users or locations of a network, by its own fields. */
  find(what: 'user' | 'location', protocol: string, fields: ThirdPartyFields): Promise<readonly JsonObject[]>;
  /** What a user ID or an alias stands for. */
  findByName(what: 'user' | 'location', fields: ThirdPartyFields): Promise<readonly JsonObject[]>;
}

type Dependencies = {
  readonly appServices: AppServices;
  readonly client: AppServiceClient;
  readonly log: { info(details: object, message: string): void };
  readonly now: () => number;
};

const timeout = 10_000;
/** What a network looks like does not change from one minute to the next. */
const keptFor = 5 * 60_000;
/** From one service for one question. */
const maxResults = 200;

/** {@link https://spec.matrix.org/v1.19/application-service-api/#third-party-networks} */
export function createThirdParty({ appServices, client, log, now }: Dependencies): ThirdParty {
  const known = new Map<string, { readonly until: number; readonly protocol: Promise<JsonObject | undefined> }>();
  const reachable = appServices.all.filter(({ url }) => url !== undefined);
  const names = [...new Set(reachable.flatMap(({ protocols }) => protocols))];
  const servicesOf = (protocol: string) => reachable.filter(({ protocols }) => protocols.includes(protocol));

  /** The answer of one service; nothing where it has none. */
  async function ask(service: AppService, path: string, query?: ThirdPartyFields): Promise<JsonValue | undefined> {
    const legacyPath = `/_matrix/app/unstable${path}`;
    try {
      const request = { method: 'GET', path, legacyPath, timeout, ...(query && { query }) } as const;
      const { isSuccess, json } = await client.request(service, request);
      return isSuccess ? json : undefined;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      log.info({ service: service.id, reason: error.message }, 'An application service does not tell of its network');
      return undefined;
    }
  }

  async function askAll(services: readonly AppService[], path: string, fields: ThirdPartyFields) {
    const answers = await Promise.all(services.map((service) => ask(service, path, fields)));
    return answers.flatMap((answer) => (Array.isArray(answer) ? answer.slice(0, maxResults).filter(isJsonObject) : []));
  }

  async function load(name: string): Promise<JsonObject | undefined> {
    const services = servicesOf(name);
    const path = `/thirdparty/protocol/${encodeURIComponent(name)}`;
    const answers = await Promise.all(services.map((service) => ask(service, path)));
    const found = services.flatMap((service, index) => {
      const answer = answers[index];
      return isJsonObject(answer) ? [{ service, answer }] : [];
    });
    const [first] = found;
    if (first === undefined) return undefined;
    return { ...first.answer, instances: found.flatMap(({ service, answer }) => instancesOf(service, answer)) };
  }

  async function find(name: string): Promise<JsonObject | undefined> {
    const entry = known.get(name);
    if (entry !== undefined && entry.until > now()) return entry.protocol;
    const protocol = load(name);
    known.set(name, { until: now() + keptFor, protocol });
    // What did not answer may do so the next time.
    if ((await protocol) === undefined) known.delete(name);
    return protocol;
  }

  function requireProtocol(name: string): void {
    if (names.includes(name)) return;
    throw new MatrixError('not-found', { message: `The protocol ${name} is not known.` });
  }

  return {
    async protocols() {
      const found = await Promise.all(names.map(async (name) => [name, await find(name)] as const));
      return Object.fromEntries(found.flatMap(([name, protocol]) => (protocol ? [[name, protocol]] : [])));
    },
    async protocol(name) {
      requireProtocol(name);
      const protocol = await find(name);
      if (protocol === undefined) throw new MatrixError('not-found', { message: `${name} does not answer.` });
      return protocol;
    },
    async find(what, protocol, fields) {
      requireProtocol(protocol);
      return askAll(servicesOf(protocol), `/thirdparty/${what}/${encodeURIComponent(protocol)}`, fields);
    },
    async findByName(what, fields) {
      const found = await askAll(
        reachable.filter(({ protocols }) => protocols.length > 0),
        `/thirdparty/${what}`,
        fields,
      );
      if (found.length === 0)
        throw new MatrixError('not-found', { message: 'Nothing of another network is known by that.' });
      return found;
    },
  };
}

/** With an ID each by which a client can ask for the rooms of the network. */
function instancesOf({ id }: AppService, { instances }: JsonObject): JsonObject[] {
  if (!Array.isArray(instances)) return [];
  return instances.filter(isJsonObject).map((instance) => {
    const { network_id: network } = instance;
    return typeof network === 'string' ? { ...instance, instance_id: instanceId(id, network) } : instance;
  });
}

/** Names a network of a service; the ID of a service may hold anything. */
export function instanceId(serviceId: string, networkId: string): string {
  return `${encodeURIComponent(serviceId)}|${encodeURIComponent(networkId)}`;
}
