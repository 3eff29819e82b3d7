import { lookup, Resolver } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';

export type SrvRecord = {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
};

/** What the machine knows about the world outside. Tests give one of their own. */
export interface Network {
  /** The addresses of a host, as the system resolves names: `/etc/hosts` first. Rejects where there are none. */
  lookup(host: string): Promise<readonly string[]>;
  /** Empty where there are no such records. Rejects where nobody could tell. */
  resolveSrv(name: string): Promise<readonly SrvRecord[]>;
  connect(address: string, port: number): Socket;
}

/** Two tries of this long, in milliseconds: a name server that is silent must not cost a request all its time. */
const dnsTimeout = 2000;
const noRecord: ReadonlySet<unknown> = new Set(['ENODATA', 'ENOTFOUND']);

export const systemNetwork: Network = {
  async lookup(host) {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return found.map(({ address }) => address);
  },
  async resolveSrv(name) {
    try {
      // A new one each time reads resolv.conf as it is now.
      return await new Resolver({ timeout: dnsTimeout, tries: 2 }).resolveSrv(name);
    } catch (error) {
      if (error instanceof Error && 'code' in error && noRecord.has(error.code)) return [];
      throw error;
    }
  },
  connect: (address, port) => connect({ host: address, port, noDelay: true, autoSelectFamily: false }),
};
