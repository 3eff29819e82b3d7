import assert from 'node:assert/strict';
import { test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import * as fc from 'fast-check';
import { formatXMatrix, isXMatrix, parseXMatrix } from './x-matrix.ts';

const usual = { origin: 'a.org', destination: 'b.org', keyId: 'ed25519:1', signature: 'AB+/cd' };
const { destination: _, ...older } = usual;

const accepted: readonly [header: string, parsed: object][] = [
  ['X-Matrix origin="a.org",destination="b.org",key="ed25519:1",sig="AB+/cd"', usual],
  // Without quotes, as older servers send it; colons, Base64 and all.
  ['X-Matrix origin=a.org,destination=b.org,key="ed25519:1",sig="AB+/cd"', usual],
  ['X-Matrix origin=a.org,destination=b.org,key=ed25519:1,sig=AB+/cd', usual],
  ['X-Matrix origin=a.org,key=ed25519:1,sig=AB+/cd', { ...older, destination: undefined }],
  // Names and scheme in any case, parameters in any order, spaces and tabs around commas.
  ['x-matrix ORIGIN="a.org",Destination="b.org",KEY="ed25519:1",Sig="AB+/cd"', usual],
  ['X-MATRIX  sig="AB+/cd" ,\tkey="ed25519:1" , destination="b.org",   origin="a.org"', usual],
  ['X-Matrix origin = "a.org", destination ="b.org", key= "ed25519:1", sig="AB+/cd"', usual],
  ['X-Matrix ,origin="a.org",,destination="b.org",key="ed25519:1",sig="AB+/cd",', usual],
  // Backslashes, unknown parameters, the other name of the signature.
  ['X-Matrix origin="a\\.org",destination="b.or\\g",key="ed25519:1",sig="AB+\\/cd"', usual],
  ['X-Matrix origin="a.org",destination="b.org",key="ed25519:1",sig="AB+/cd",x="1,origin=\\"evil\\""', usual],
  ['X-Matrix origin="a.org",destination="b.org",key="ed25519:1",signature="AB+/cd"', usual],
  [
    'X-Matrix origin=a.org:8448,destination=[::1]:1,key="ed25519:1",sig="AB=="',
    { ...usual, origin: 'a.org:8448', destination: '[::1]:1', signature: 'AB==' },
  ],
];

const refused = [
  'X-Matrix',
  'X-Matrix ',
  'X-Matrix origin="a.org"',
  'X-Matrix origin="a.org",key="ed25519:1"',
  'X-Matrix origin,key="ed25519:1",sig="A"',
  'X-Matrix origin=,key="ed25519:1",sig="A"',
  'X-Matrix origin="a.org,key="ed25519:1",sig="A"',
  'X-Matrix origin="a.org"x,key="ed25519:1",sig="A"',
  'X-Matrix origin="a.org" key="ed25519:1" sig="A"',
  'X-Matrix origin=a.org key=ed25519:1,sig=A',
  'X-Matrix origin="a.org",origin="b.org",key="ed25519:1",sig="A"',
  'X-Matrix origin="a.org",ORIGIN="a.org",key="ed25519:1",sig="A"',
  'X-Matrix origin="a.org",destination="b.org",destination="c.org",key="ed25519:1",sig="A"',
  'X-Matrix origin="a.org",key="ed25519:1",sig="A", X-Matrix origin="b.org",key="ed25519:1",sig="A"',
  'Bearer origin="a.org",key="ed25519:1",sig="A"',
  'X-Matrixorigin="a.org",key="ed25519:1",sig="A"',
];

test('every form in use is understood', () => {
  for (const [header, parsed] of accepted) {
    assert.ok(isXMatrix(header), header);
    assert.deepEqual(parseXMatrix(header), parsed, header);
  }
});

test('what two readers could read differently is refused', () => {
  for (const header of refused) assert.equal(parseXMatrix(header), undefined, header);
});

test('what is written is read', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9.:+/=_[\]-]{1,50}$/);
  const property = fc.property(token, token, token, token, (origin, destination, keyId, signature) => {
    const header = formatXMatrix(origin, destination, keyId, signature);
    assert.deepEqual(parseXMatrix(header), { origin, destination, keyId, signature });
  });
  fc.assert(property);
});

test('a long header costs no more than its length', () => {
  for (const unit of ['\\', ',', 'a=', '"', ' ', 'a="\\']) {
    const started = threadTime();
    parseXMatrix(`X-Matrix ${unit.repeat(50_000)}`);
    assert.ok(threadTime() - started < 200, unit);
  }
});
