import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** What TLS wants to have: both in PEM format. */
export type Certified = { readonly certificate: string; readonly key: string };

export interface TestAuthority {
  /** In PEM format. */
  readonly certificate: string;
  /** A certificate for names and IP addresses. */
  issue(names: readonly string[], options?: { readonly expired?: boolean }): Certified;
}

// DER: a type, a length, a value. Long lengths say first how many bytes they have.
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts);
  const { length } = value;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...head]), value]);
}

const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const explicit = (number: number, ...parts: readonly Uint8Array[]): Buffer => der(0xa0 + number, ...parts);
const octets = (...parts: readonly Uint8Array[]): Buffer => der(0x04, ...parts);
const bits = (value: Uint8Array): Buffer => der(0x03, Buffer.from([0]), value);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const yes = der(0x01, Buffer.from([0xff]));

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'));
const commonName = oid('550403');
const basicConstraints = oid('551d13');
const keyUsage = oid('551d0f');
const extendedKeyUsage = oid('551d25');
const serverAuth = oid('2b06010505070301');
const subjectAltName = oid('551d11');
const subjectKeyId = oid('551d0e');
const authorityKeyId = oid('551d23');

function nameOf(text: string): Buffer {
  return sequence(der(0x31, sequence(commonName, der(0x0c, Buffer.from(text)))));
}

function time(at: number): Buffer {
  const text = `${new Date(at)
    .toISOString()
    .replaceAll(/[-:T]|\.\d+/g, '')
    .slice(0, 14)}Z`;
  return der(0x18, Buffer.from(text));
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = new SocketAddress({ address, family: 'ipv6' }).address.split('::');
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const left = groups(head);
  const right = groups(tail ?? '');
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}

function altName(name: string): Buffer {
  return isIPv4(name) || isIPv6(name) ? der(0x87, addressBytes(name)) : der(0x82, Buffer.from(name));
}

type Subject = { readonly name: string; readonly publicKey: KeyObject; readonly privateKey: KeyObject };

function makeSubject(name: string): Subject {
  return { name, ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) };
}

function keyIdOf(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest();
}

const day = 24 * 60 * 60_000;

function certify(subject: Subject, issuer: Subject, extensions: readonly Buffer[], from: number, to: number): string {
  const spki = subject.publicKey.export({ format: 'der', type: 'spki' });
  const issuerSpki = issuer.publicKey.export({ format: 'der', type: 'spki' });
  const all = [
    ...extensions,
    sequence(subjectKeyId, octets(octets(keyIdOf(spki)))),
    sequence(authorityKeyId, octets(sequence(der(0x80, keyIdOf(issuerSpki))))),
  ];
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)]);
  const body = sequence(
    explicit(0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    nameOf(issuer.name),
    sequence(time(from), time(to)),
    nameOf(subject.name),
    spki,
    explicit(3, sequence(...all)),
  );
  const certificate = sequence(body, ecdsaWithSha256, bits(sign('sha256', body, issuer.privateKey)));
  const lines = certificate.toString('base64').replaceAll(/.{64}(?!$)/g, '$&\n');
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/**
 * A certificate authority for one test, made with nothing but Node's own cryptography.
 *
 * {@link https://www.rfc-editor.org/rfc/rfc5280}
 */
export function createTestAuthority(): TestAuthority {
  const now = Date.now();
  const authority = makeSubject('Portico test authority');
  const asAuthority = [
    sequence(basicConstraints, yes, octets(sequence(yes))),
    // Signs certificates and revocation lists.
    sequence(keyUsage, yes, octets(der(0x03, Buffer.from([1, 0b110])))),
  ];
  return {
    certificate: certify(authority, authority, asAuthority, now - day, now + day),
    issue(names, { expired = false } = {}) {
      const server = makeSubject(names[0] ?? 'nobody');
      const asServer = [
        sequence(basicConstraints, yes, octets(sequence())),
        sequence(extendedKeyUsage, octets(sequence(serverAuth))),
        sequence(subjectAltName, octets(sequence(...names.map(altName)))),
      ];
      const to = expired ? now - day / 2 : now + day;
      return {
        certificate: certify(server, authority, asServer, now - day, to),
        key: server.privateKey.export({ format: 'pem', type: 'pkcs8' }),
      };
    },
  };
}
