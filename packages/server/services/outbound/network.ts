import { connect, type Socket } from 'node:net';
import { createHostsFile } from './names/hosts-file.ts';
import { askSystem, createLookUp, type LookUp } from './names/look-up.ts';
import { createNameServers, type SrvRecord } from './names/name-servers.ts';
import { createNameTurns, type NameTurnLimits } from './names/name-turns.ts';

export type { SrvRecord };

/** What the machine knows about the world outside. Tests give one of their own. */
export interface Network {
  /** The addresses of a host, as the system resolves names: `/etc/hosts` first. Rejects where there are none. */
  readonly lookup: LookUp;
  /** Empty where there are no such records. Rejects where nobody could tell. */
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  connect(address: string, port: number): Socket;
}

export type SystemNetworkOptions = {
  readonly hostsFile?: string;
  /** Instead of those that the system has. */
  readonly nameServers?: readonly string[];
  readonly system?: LookUp;
  readonly asked?: NameTurnLimits;
  readonly fromSystem?: NameTurnLimits;
};

/**
 * Each takes a socket or two, and no thread. All that strangers can make this server ask at a time is less than the doubtful ones: 20 for the
 * sender, 64 for keys of devices, 16 for signing keys, 100 that are out of reach.
 */
const usualAsked: NameTurnLimits = { atOnce: 400, doubtful: 300, time: 5000 };
/** Each takes a thread of the four that files, password hashes and signatures share; libuv runs two of them. */
const usualFromSystem: NameTurnLimits = { atOnce: 2, doubtful: 1, time: 5000 };

/** The network of this machine. */
export function createSystemNetwork(options: SystemNetworkOptions = {}): Network {
  const { hostsFile = '/etc/hosts', system = askSystem, asked = usualAsked, fromSystem = usualFromSystem } = options;
  const now = (): number => performance.now();
  const nameServers = createNameServers(options.nameServers);
  const turns = { asked: createNameTurns(asked), system: createNameTurns(fromSystem) };
  return {
    lookup: createLookUp({ hosts: createHostsFile({ path: hostsFile, now }), nameServers, turns, system, now }),
    resolveSrv: (name) => turns.asked.run(name, (signal) => nameServers.services(name, signal)),
    connect: (address, port) => connect({ host: address, port, noDelay: true, autoSelectFamily: false }),
  };
}
