import { isIP, type Socket } from 'node:net';
import { isPublicAddress } from './addresses.ts';
import type { Network } from './network.ts';
import { OutboundError } from './outbound-error.ts';
import type { Target } from './route.ts';
import { unlessAborted } from './unless-aborted.ts';

export type DialOptions = {
  readonly network: Network;
  readonly mayBePrivate: boolean;
  /** Aborted when the time for connecting is over. */
  readonly signal: AbortSignal;
};

/** How long an address may be silent before the next one is tried beside it, in milliseconds (RFC 8305, section 5). */
const headStart = 250;
/** More addresses than that would be a way to make us knock at other people's doors. */
const mostAddresses = 8;

async function addressesOf({ host, port }: Target, { network, mayBePrivate }: DialOptions): Promise<readonly string[]> {
  let found: readonly string[];
  try {
    found = isIP(host) === 0 ? await network.lookup(host) : [host];
  } catch (cause) {
    throw cause instanceof OutboundError
      ? cause
      : new OutboundError('unknown-host', `There is no address for ${host}`, { cause });
  }
  if (found.length === 0) throw new OutboundError('unknown-host', `There is no address for ${host}`);
  const allowed = mayBePrivate ? found : found.filter(isPublicAddress);
  if (allowed.length === 0) {
    throw new OutboundError('private-address', `${host}:${port} is a private address: ${found.join(', ')}`);
  }
  return allowed.slice(0, mostAddresses);
}

/** One attempt. The address that was checked is the one connected to; what the socket says is checked again. */
function open(address: string, port: number, options: DialOptions): { socket: Socket; opened: Promise<Socket> } {
  const socket = options.network.connect(address, port);
  const opened = new Promise<Socket>((resolve, reject) => {
    socket.once('error', (cause) => {
      reject(new OutboundError('unreachable', `${address} port ${port}: ${cause.message}`, { cause }));
    });
    socket.once('connect', () => {
      const { remoteAddress = '' } = socket;
      if (options.mayBePrivate || isPublicAddress(remoteAddress)) resolve(socket);
      else reject(new OutboundError('private-address', `${address} led to the private address ${remoteAddress}`));
    });
  });
  return { socket, opened };
}

/** Connects to the first of a target's addresses that answers, each with a head start before the next. */
export async function dial(target: Target, options: DialOptions): Promise<Socket> {
  const { signal } = options;
  const tooLate = (): OutboundError =>
    new OutboundError('timeout', `${target.host} port ${target.port} did not answer in time`);
  const addresses = await unlessAborted(addressesOf(target, options), signal, tooLate);
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const sockets = new Set<Socket>();
  let next = 0;
  let failed = 0;
  let timer: NodeJS.Timeout | undefined;

  const attempt = (): void => {
    clearTimeout(timer);
    const address = addresses[next++];
    if (address === undefined) return;
    const { socket, opened } = open(address, target.port, options);
    sockets.add(socket);
    timer = setTimeout(attempt, headStart);
    opened.then(resolve, (error: unknown) => {
      if (++failed === addresses.length) reject(error);
      else attempt();
    });
  };
  const onAbort = (): void => reject(tooLate());
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  else attempt();

  let winner: Socket | undefined;
  try {
    winner = await promise;
    return winner;
  } finally {
    clearTimeout(timer);
    next = addresses.length;
    signal.removeEventListener('abort', onAbort);
    for (const socket of sockets) {
      if (socket === winner) continue;
      socket.on('error', () => undefined);
      socket.destroy();
    }
  }
}
