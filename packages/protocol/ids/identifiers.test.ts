import assert from 'node:assert/strict';
import { test } from 'node:test';
import { domainOf } from './identifier.ts';
import { parseRoomAlias } from './room-alias.ts';
import { isRoomIdOf, parseRoomId } from './room-id.ts';
import { parseServerName, splitServerName, type ServerName } from './server-name.ts';
import { checkNewUserId, isCompliantUserId, localpartOf, parseUserId, serverNameOf, type UserId } from './user-id.ts';

test('a server name is a host of some kind, with or without a port', () => {
  for (const [name, host, port, kind] of [
    ['a.example', 'a.example', undefined, 'dns'],
    ['a.example:8448', 'a.example', '8448', 'dns'],
    ['a-long-name.of-a-server.example', 'a-long-name.of-a-server.example', undefined, 'dns'],
    ['1.2.3.4', '1.2.3.4', undefined, 'ipv4'],
    ['1.2.3.4:1', '1.2.3.4', '1', 'ipv4'],
    ['255.249.199.099', '255.249.199.099', undefined, 'ipv4'],
    ['10.20.30.40', '10.20.30.40', undefined, 'ipv4'],
    ['1.2.3.256', '1.2.3.256', undefined, 'dns'],
    ['1.2.3', '1.2.3', undefined, 'dns'],
    ['1.2.3.4.5', '1.2.3.4.5', undefined, 'dns'],
    ['[::1]', '[::1]', undefined, 'ipv6'],
    ['[::1]:65535', '[::1]', '65535', 'ipv6'],
  ] as const) {
    assert.deepEqual(splitServerName(name), { host, port, kind }, name);
  }
  assert.equal(splitServerName('[::1'), undefined);
  assert.equal(parseServerName('a.example:8448'), 'a.example:8448');
  assert.equal(parseServerName('a example'), undefined);
});

test('identifiers have parts around their first colon', () => {
  for (const [id, localpart, domain] of [
    ['@a:a.example', 'a', 'a.example'],
    ['@:a.example:8448', '', 'a.example:8448'],
    ['@long name:[::1]', 'long name', '[::1]'],
  ] as const) {
    assert.deepEqual([localpartOf(id), serverNameOf(id), domainOf(id)], [localpart, domain, domain]);
  }
  assert.equal(domainOf('!hash'), undefined);
});

test('what is an identifier comes out of its parser as it was', () => {
  for (const [parse, id] of [
    [parseUserId, '@a:a.example'],
    [parseRoomAlias, '#a:a.example'],
    [parseRoomId, '!a:a.example'],
    [parseRoomId, `!${'a'.repeat(43)}`],
  ] as const) {
    assert.equal(parse(id), id);
    for (const none of [id.slice(1), `$${id.slice(1)}`, '']) assert.equal(parse(none), undefined, none);
  }
  assert.equal(isRoomIdOf('opaque', `!${'a'.repeat(43)}`), false);
  assert.equal(isRoomIdOf('create-event', '!a:a.example'), false);
  assert.equal(isRoomIdOf('opaque', '!a:a.example'), true);
});

test('clients get to see user IDs of printable ASCII', () => {
  for (const [userId, isCompliant] of [
    ['@a:a.example', true],
    ['@ABC!~;9:a.example', true],
    ['@:a.example', false],
    ['@a b:a.example', false],
    ['@a\x7f:a.example', false],
    ['@\u00e9:a.example', false],
    ['@a\u00e9@b:a.example', false],
  ] as const) {
    assert.equal(isCompliantUserId(userId as UserId), isCompliant, userId);
  }
});

test('why a new user cannot be called so', () => {
  const here = parseServerName('a.example') as ServerName;
  const ruleOf = (localpart: string) => {
    const decision = checkNewUserId(localpart, here);
    return decision.kind === 'ok' ? decision.userId : decision.rule;
  };
  assert.equal(ruleOf('a.b_c=d-e/f+0'), '@a.b_c=d-e/f+0:a.example');
  assert.equal(ruleOf('A'), 'user_id.localpart');
  assert.equal(ruleOf('a'.repeat(244)), `@${'a'.repeat(244)}:a.example`);
  assert.equal(ruleOf('a'.repeat(245)), 'user_id.too_long');
});
