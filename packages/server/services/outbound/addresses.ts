import { BlockList, isIP } from 'node:net';

/**
 * Networks in which nobody should be reached from outside: everything that the registries of special-purpose addresses
 * do not call globally reachable, and multicast.
 *
 * {@link https://www.iana.org/assignments/iana-ipv4-special-registry/}
 * {@link https://www.iana.org/assignments/iana-ipv6-special-registry/}
 */
const privateIpv4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];
const privateIpv6: readonly (readonly [network: string, prefix: number])[] = [
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['100:0:0:1::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['5f00::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
];

const blocked = new BlockList();
for (const [network, prefix] of privateIpv4) blocked.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of privateIpv6) blocked.addSubnet(network, prefix, 'ipv6');

/** The eight groups of an IPv6 address that Node takes for one, without its zone. */
function groupsOf(address: string): number[] {
  const [left = '', right] = (address.split('%', 1)[0] ?? '').split('::');
  const head = toGroups(left);
  const tail = toGroups(right ?? '');
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

function toGroups(part: string): number[] {
  return part.split(':').flatMap((group) => {
    if (group === '') return [];
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** The IPv4 address that packets for an IPv6 address would reach in the end, where one is written into it. */
function embeddedIpv4(groups: readonly number[]): string | undefined {
  const [a = 0, b = 0] = groups;
  const at = (index: number): string => {
    const [high = 0, low = 0] = groups.slice(index, index + 2);
    return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
  };
  const zeros = groups.findIndex((group) => group !== 0);
  // Mapped (RFC 4291), compatible (deprecated there; the unspecified and the loopback address are among these),
  // translated by SIIT (RFC 2765) and by NAT64 (RFC 6052), and 6to4 (RFC 3056).
  if (zeros === -1 || zeros >= 6 || (zeros === 5 && groups[5] === 0xffff)) return at(6);
  if (zeros === 4 && groups[4] === 0xffff && groups[5] === 0) return at(6);
  if (a === 0x64 && b === 0xff9b && groups.slice(2, 6).every((group) => group === 0)) return at(6);
  return a === 0x2002 ? at(1) : undefined;
}

/** Whether an address is one of the public internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blocked.check(address, 'ipv4');
  if (family === 0) return false;
  const ipv4 = embeddedIpv4(groupsOf(address));
  if (ipv4 !== undefined) return !blocked.check(ipv4, 'ipv4');
  return !blocked.check(address.split('%', 1)[0] ?? '', 'ipv6');
}
