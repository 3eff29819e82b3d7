import { type ServerName, type ServerNameParts, splitServerName } from '@portico/protocol';
import type { WatchCache } from '../../../observability/cache-metrics.ts';
import type { Network } from '../../outbound/network.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { Route } from '../../outbound/route.ts';
import { createSmallCache } from '../../reading/small-cache.ts';
import { lifetimeOfFailure } from './cache-lifetime.ts';
import { findService, type SrvAnswer } from './srv.ts';
import { fetchWellKnown } from './well-known.ts';

export interface Discovery {
  /** Where a server is. Rejects with `OutboundError` where no answer is possible. */
  findRoute(serverName: ServerName): Promise<Route>;
  /** Nobody was there: what is remembered about the server may be wrong by now. */
  reportUnreachable(serverName: ServerName): void;
}

type Dependencies = {
  readonly network: Network;
  readonly outbound: Outbound;
  readonly now: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly watch?: WatchCache | undefined;
};

const defaultPort = 8448;
const serviceLifetime = 5 * 60_000;
const uncertainLifetime = 30_000;
const mostRemembered = 20_000;
/** What is younger than this, in milliseconds, is not doubted: a server that is down is not looked for at every request. */
const tooYoungToDoubt = 60_000;

type Delegation = {
  readonly name: ServerName | undefined;
  readonly at: number;
  readonly until: number;
  readonly failures: number;
};
type Service = { readonly answer: SrvAnswer; readonly at: number; readonly until: number };

/**
 * Server names to addresses, ports, `Host` headers and certificates.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names}
 */
export function createDiscovery({ network, outbound, now, random, watch }: Dependencies): Discovery {
  const delegations = createSmallCache<string, Delegation>(mostRemembered);
  const services = createSmallCache<string, Service>(mostRemembered);
  const asking = new Map<string, Promise<Delegation>>();
  watch?.('federation_delegations', { size: () => delegations.size, limit: () => mostRemembered });
  watch?.('federation_services', { size: () => services.size, limit: () => mostRemembered });

  async function askForDelegation(host: string, known: Delegation | undefined): Promise<Delegation> {
    const found = await fetchWellKnown(outbound, host, now);
    const at = now();
    if (found.kind === 'delegated') return { name: found.name, at, until: at + found.lifetime, failures: 0 };
    const failures = (known?.failures ?? 0) + 1;
    // Where it was before is a better guess than nowhere, for as long as nobody says otherwise.
    const name = found.kind === 'unreachable' ? known?.name : undefined;
    const lifetime = found.kind === 'none' ? lifetimeOfFailure(Infinity) : lifetimeOfFailure(failures);
    return { name, at, until: at + lifetime, failures };
  }

  async function findDelegation(host: string): Promise<ServerName | undefined> {
    const known = delegations.get(host);
    if (known !== undefined && known.until > now()) return known.name;
    let answer = asking.get(host);
    if (answer === undefined) {
      answer = askForDelegation(host, known).finally(() => asking.delete(host));
      asking.set(host, answer);
    }
    const delegation = await answer;
    delegations.set(host, delegation);
    return delegation.name;
  }

  async function findServiceOf(host: string): Promise<SrvAnswer['targets']> {
    const known = services.get(host);
    if (known !== undefined && known.until > now()) return known.answer.targets;
    const answer = await findService(network, host, random);
    const at = now();
    services.set(host, { answer, at, until: at + (answer.isCertain ? serviceLifetime : uncertainLifetime) });
    return answer.targets;
  }

  /** Steps 1 and 2, and what they are for a delegated name: 3.1 and 3.2. */
  function literalOrPort({ host, port, kind }: ServerNameParts): Route | undefined {
    if (kind === 'dns' && port === undefined) return undefined;
    const name = kind === 'dns' ? host.toLowerCase() : plainAddress(host);
    return {
      targets: [{ host: name, port: port === undefined ? defaultPort : Number(port) }],
      host: port === undefined ? host : `${host}:${port}`,
      certificateName: name,
    };
  }

  /** Steps 4 to 6, and 3.3 to 3.5 for a delegated name: the certificate is the host's own, whoever answers for it. */
  async function byService({ host }: ServerNameParts): Promise<Route> {
    const name = host.toLowerCase();
    const targets = (await findServiceOf(name)) ?? [{ host: name, port: defaultPort }];
    return { targets, host, certificateName: name };
  }

  return {
    async findRoute(serverName) {
      const parts = splitServerName(serverName);
      if (parts === undefined || !isPort(parts.port)) {
        throw new OutboundError('unknown-host', `${serverName} is no name of a server`);
      }
      const direct = literalOrPort(parts);
      if (direct !== undefined) return direct;
      const delegate = await findDelegation(parts.host.toLowerCase());
      const delegated = delegate === undefined ? undefined : splitServerName(delegate);
      if (delegated === undefined) return byService(parts);
      return literalOrPort(delegated) ?? byService(delegated);
    },
    reportUnreachable(serverName) {
      const host = splitServerName(serverName)?.host.toLowerCase() ?? '';
      const delegation = delegations.get(host);
      const service = services.get((delegation?.name ?? host).toLowerCase());
      if (service !== undefined && now() - service.at > tooYoungToDoubt) {
        services.delete((delegation?.name ?? host).toLowerCase());
      }
      if (delegation !== undefined && now() - delegation.at > tooYoungToDoubt) {
        delegations.set(host, { ...delegation, until: 0 });
      }
    },
  };
}

function isPort(port: string | undefined): boolean {
  return port === undefined || (Number(port) > 0 && Number(port) <= 65_535);
}

/** An IP address as the system writes it: `010.0.0.1` is ten to us and eight to others. */
function plainAddress(host: string): string {
  if (host.startsWith('[')) return host.slice(1, -1);
  return host.split('.').map(Number).join('.');
}
