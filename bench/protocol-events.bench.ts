import {
  buildEvent,
  checkHash,
  compileGlob,
  compileServerAcl,
  decodeBase64,
  encodeCanonical,
  findRoomVersion,
  isSignedBy,
  joinPieces,
  parseJson,
  parsePdu,
  parseVerifyKey,
  signatureChecks,
  signingKeyFromSeed,
  signText,
  type BuiltEvent,
  type NewEvent,
  type ParsedPdu,
  type RoomVersionRules,
} from '@portico/protocol';
import type { Benchmark } from './bench.ts';

const rules = findRoomVersion('12') as RoomVersionRules;
const key = signingKeyFromSeed('ed25519:a_key', new Uint8Array(32).fill(7));
const verifyKey = parseVerifyKey(decodeBase64(key.publicKey) ?? new Uint8Array());
const signer = { serverName: 'example.org', key };
const id = (letter: string) => `$${letter.repeat(43)}`;

const message: NewEvent = {
  type: 'm.room.message',
  sender: '@somebody:example.org',
  roomId: `!${'r'.repeat(43)}`,
  content: parseJson('{"body":"An ordinary message of ordinary length.","m.mentions":{},"msgtype":"m.text"}') as {},
  originServerTs: 1_700_000_000_000,
  depth: 1234,
  prevEvents: [id('p')],
  authEvents: [id('a'), id('b')],
};
const member: NewEvent = {
  ...message,
  type: 'm.room.member',
  stateKey: '@somebody:example.org',
  content: { avatar_url: 'mxc://example.org/abcdefgh', displayname: 'Somebody', membership: 'join' },
};

const built = buildEvent(rules, message, signer) as BuiltEvent;
const text = joinPieces(built.pieces);
const value = parseJson(text, 'lenient');
const { pdu } = parsePdu(rules, text) as ParsedPdu;
const unsorted = parseJson('{"msgtype":"m.text","body":"An ordinary message","m.mentions":{"user_ids":["@a:b"]}}');
const acl = compileServerAcl({
  allow: ['*'],
  deny: Array.from({ length: 200 }, (_, index) => `*.evil${index}.example`),
});
const hostileGlob = compileGlob(`*${'a'.repeat(100)}?${'a'.repeat(100)}b*`);
const hostileText = 'a'.repeat(65_000);

export const bench: readonly Benchmark[] = [
  { name: 'build a message, signature included', run: () => buildEvent(rules, message, signer) },
  { name: 'build a membership, signature included', run: () => buildEvent(rules, member, signer) },
  { name: 'ed25519 signature alone', run: () => signText(key, text) },
  { name: 'parse a PDU from text', run: () => parsePdu(rules, text) },
  { name: 'parse a PDU from a value', run: () => parsePdu(rules, value) },
  { name: 'check a content hash', run: () => checkHash(rules, pdu) },
  {
    name: 'verify an event signature',
    run: () => isSignedBy(signatureChecks(rules, pdu, 'example.org', () => verifyKey)),
  },
  { name: 'parse JSON, plain, 0.8 KB', run: () => parseJson(text) },
  { name: 'parse JSON, strict, 0.8 KB', run: () => parseJson(text, 'strict') },
  { name: 'canonical JSON, sorted content', run: () => encodeCanonical(message.content) },
  { name: 'canonical JSON, unsorted content', run: () => encodeCanonical(unsorted) },
  { name: 'canonical JSON, whole event', run: () => encodeCanonical(value) },
  { name: 'server ACL with 200 globs', run: () => acl('matrix.example.com:8448') },
  { name: 'hostile glob over 65 KB', run: () => hostileGlob(hostileText) },
];
