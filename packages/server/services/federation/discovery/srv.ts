import type { Network, SrvRecord } from '../../outbound/network.ts';
import type { Target } from '../../outbound/route.ts';

/** Records of one name that are tried: who has more is not helped by more attempts. */
const mostRecords = 16;

/**
 * The order in which to try the targets: the lowest priority number first, at random by weight among equals.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc2782}
 */
export function orderRecords(records: readonly SrvRecord[], random: () => number): readonly Target[] {
  const left = records.slice(0, mostRecords);
  const ordered: Target[] = [];
  while (left.length > 0) {
    const priority = Math.min(...left.map((record) => record.priority));
    // "arrange all SRV RRs (that have not been ordered yet) in any order, except that all those with weight 0 are placed
    // at the beginning of the list"
    const equals = left.filter((record) => record.priority === priority).sort((a, b) => a.weight - b.weight);
    const sum = equals.reduce((total, { weight }) => total + weight, 0);
    const mark = random() * sum;
    let running = 0;
    const chosen = equals.find(({ weight }) => (running += weight) >= mark) ?? equals[0];
    if (chosen === undefined) break;
    left.splice(left.indexOf(chosen), 1);
    ordered.push({ host: chosen.name.replace(/\.$/, ''), port: chosen.port });
  }
  return ordered;
}

export type SrvAnswer = {
  /** `undefined` where there is no record. Empty where the record says that there is no such service. */
  readonly targets: readonly Target[] | undefined;
  /** Whether the name servers could tell. */
  readonly isCertain: boolean;
};

async function ask(network: Network, name: string, random: () => number): Promise<SrvAnswer> {
  try {
    const records = await network.resolveSrv(name);
    if (records.length === 0) return { targets: undefined, isCertain: true };
    // "A Target of "." means that the service is decidedly not available at this domain."
    const usable = records.filter((record) => record.name !== '' && record.name !== '.' && record.port > 0);
    return { targets: orderRecords(usable, random), isCertain: true };
  } catch {
    return { targets: undefined, isCertain: false };
  }
}

/** The records of the registered service, or else those of the deprecated one. */
export async function findService(network: Network, host: string, random: () => number): Promise<SrvAnswer> {
  const [current, deprecated] = await Promise.all([
    ask(network, `_matrix-fed._tcp.${host}`, random),
    ask(network, `_matrix._tcp.${host}`, random),
  ]);
  if (current.targets !== undefined) return current;
  return { targets: deprecated.targets, isCertain: current.isCertain && deprecated.isCertain };
}
