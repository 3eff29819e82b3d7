import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isForAdministering, isSameScope, parseScope, withDevice } from './scope.ts';

const api = 'urn:matrix:client:api:*';
const device = 'urn:matrix:client:device:';
const admin = 'urn:synapse:admin:*';
const oldApi = 'urn:matrix:org.matrix.msc2967.client:api:*';
const oldDevice = 'urn:matrix:org.matrix.msc2967.client:device:';

test('a scope is everything on one device, in either words, in any order', () => {
  for (const [scope, deviceId, granted = scope] of [
    [`${api} ${device}AAABBBCCCDDD`, 'AAABBBCCCDDD'],
    [`${device}AAABBBCCCDDD ${api}`, 'AAABBBCCCDDD'],
    [`${oldApi} ${oldDevice}AAABBBCCCDDD`, 'AAABBBCCCDDD'],
    [`${api} ${oldApi} ${device}ABC ${oldDevice}ABC`, 'ABC'],
    [`${oldApi} ${device}a-b.c_d~e`, 'a-b.c_d~e'],
    [` openid ${api}  ${device}ABC email`, 'ABC', `${api} ${device}ABC`],
    [`${api} ${api} ${device}ABC ${device}ABC`, 'ABC', `${api} ${device}ABC`],
    [`${api} urn:matrix:client:api:read:* ${device}ABC`, 'ABC', `${api} ${device}ABC`],
    [`${api} ${device}${'x'.repeat(255)}`, 'x'.repeat(255)],
    [`urn:mas:admin ${api} ${admin} ${device}ABC`, 'ABC', `${api} ${admin} ${device}ABC`],
  ] as const) {
    assert.deepEqual(parseScope(scope), { kind: 'ok', deviceId, granted }, scope);
  }
});

test('an app for administrators need not name a device', () => {
  assert.deepEqual(parseScope(`${oldApi} urn:mas:admin ${admin}`), { kind: 'ok', granted: `${oldApi} ${admin}` });
  assert.equal(withDevice(`${api} ${admin}`, 'ABC'), `${api} ${admin} ${device}ABC`);
  assert.deepEqual(parseScope(`${api} ${admin} ${device}`), { kind: 'refused', rule: 'scope.device-id' });
  assert.deepEqual(parseScope(admin), { kind: 'refused', rule: 'scope.no-api' });
});

test('what is not that is refused, with the reason', () => {
  for (const [scope, rule] of [
    ['', 'scope.no-api'],
    ['openid', 'scope.no-api'],
    [`${device}ABC`, 'scope.no-api'],
    [`${admin} ${device}ABC`, 'scope.no-api'],
    ['urn:matrix:client:api:* ', 'scope.no-device'],
    [`urn:matrix:client:api: ${device}ABC`, 'scope.no-api'],
    [`URN:matrix:client:api:* ${device}ABC`, 'scope.no-api'],
    [`${api} ${device}ABC ${device}ABD`, 'scope.devices'],
    [`${api} ${device}ABC ${oldDevice}abc`, 'scope.devices'],
    [`${api} ${device}`, 'scope.device-id'],
    [`${api} ${device}${'x'.repeat(256)}`, 'scope.device-id'],
    [`${api} ${device}A"B`, 'scope.malformed'],
    [`${api} ${device}A\\B`, 'scope.malformed'],
    [`${api}\t${device}ABC`, 'scope.malformed'],
    [`${api} ${device}Ä`, 'scope.malformed'],
    [`${api} ${device}A\nB`, 'scope.malformed'],
    [`${api} ${device}ABC ${'x'.repeat(3000)}`, 'scope.malformed'],
  ] as const) {
    assert.deepEqual(parseScope(scope), { kind: 'refused', rule }, scope);
  }
});

test('scopes are compared by what they ask for', () => {
  assert.ok(isSameScope(`${api} ${device}A`, ` ${device}A ${api} ${api}`));
  assert.ok(!isSameScope(`${api} ${device}A`, `${api} ${device}B`));
  assert.ok(!isSameScope(`${api} ${device}A`, api));
});

test('what administrators do is let in to by its own name alone, written as it is', () => {
  assert.ok(isForAdministering(`${api} ${device}A ${admin}`));
  for (const other of [
    api,
    `${api} urn:synapse:admin`,
    `${api} urn:synapse:admin:*x`,
    `${api} urn:SYNAPSE:admin:*`,
    '',
  ]) {
    assert.ok(!isForAdministering(other), other);
  }
});
