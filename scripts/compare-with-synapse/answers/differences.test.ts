import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compare } from './differences.ts';
import type { Json } from './json.ts';
import { createPairing, type Pairing } from './pairing.ts';

const event = (letter: string): string => `$${letter.repeat(43)}`;
const message = (id: string, body: string, sender = '@alice:x') => ({
  event_id: id,
  type: 'm.room.message',
  sender,
  content: { body },
});
const everyList = /./;

/** Where two answers differ. */
function placesOf(ours: Json, theirs: Json, unordered?: RegExp, pairing: Pairing = createPairing()): string[] {
  return compare(ours, theirs, { pairing, ...(unordered && { unordered }) }).map(({ where }) => where);
}

describe('values', () => {
  test('the same say nothing, whatever the order of keys', () => {
    assert.deepEqual(placesOf({ a: 1, b: [true, null, { c: 'x' }] }, { b: [true, null, { c: 'x' }], a: 1 }), []);
  });

  test('others are told by their place, with both', () => {
    const found = compare({ a: { b: [1, 2] } }, { a: { b: [1, 3] } }, { pairing: createPairing() });
    assert.deepEqual(found, [{ where: '.a.b[1]', portico: 2, synapse: 3 }]);
  });

  test('what only one has is told, and null is not what is missing', () => {
    const found = compare({ ours: 1, both: null }, { theirs: 2 }, { pairing: createPairing() });
    assert.deepEqual(found, [
      { where: '.ours', portico: 1, synapse: undefined },
      { where: '.both', portico: null, synapse: undefined },
      { where: '.theirs', portico: undefined, synapse: 2 },
    ]);
  });

  test('another kind of value is another value', () => {
    assert.deepEqual(placesOf({ a: 1, b: [], c: {}, d: 'x' }, { a: '1', b: {}, c: null, d: ['x'] }), [
      '.a',
      '.b',
      '.c',
      '.d',
    ]);
  });

  test('times and tokens may be any, but not missing', () => {
    assert.deepEqual(placesOf({ origin_server_ts: 1, end: 'a' }, { origin_server_ts: 2, end: 'b' }), []);
    assert.deepEqual(placesOf({ end: 'a' }, {}), ['.end']);
  });
});

describe('IDs', () => {
  test('two that are new are one from then on', () => {
    const pairing = createPairing();
    assert.deepEqual(placesOf({ event_id: event('a') }, { event_id: event('c') }, undefined, pairing), []);
    assert.deepEqual(placesOf({ event_id: event('a') }, { event_id: event('c') }, undefined, pairing), []);
    assert.deepEqual(placesOf({ event_id: event('a') }, { event_id: event('d') }, undefined, pairing), ['.event_id']);
    assert.deepEqual(placesOf({ event_id: event('b') }, { event_id: event('c') }, undefined, pairing), ['.event_id']);
  });

  test('a key that is new on both sides is one, and what is under it is compared', () => {
    assert.deepEqual(placesOf({ [event('a')]: { x: 1 } }, { [event('c')]: { x: 1 } }), []);
    assert.deepEqual(placesOf({ [event('a')]: { x: 1 } }, { [event('c')]: { x: 2 } }), [`.${event('c')}.x`]);
  });

  test('where several keys are new, none is guessed', () => {
    const [ours, theirs] = [
      { [event('a')]: 1, [event('b')]: 2 },
      { [event('c')]: 1, [event('d')]: 2 },
    ];
    assert.equal(placesOf(ours, theirs).length, 4);
  });

  test('words are no IDs', () => {
    assert.deepEqual(placesOf({ a: 'one' }, { a: 'two' }), ['.a']);
  });
});

describe('what state has replaced', () => {
  const state = (before: object, id = event('c')): Json => ({
    unsigned: { replaces_state: id, prev_content: before as Json },
  });
  const redacted = new Set([event('c')]);
  const placesIn = (ours: Json, theirs: Json): string[] =>
    compare(ours, theirs, { pairing: createPairing(), redacted }).map(({ where }) => where);

  test('of what was redacted one may say less', () => {
    assert.deepEqual(placesIn(state({}), state({ name: 'x' })), []);
    assert.deepEqual(placesIn(state({ name: 'x' }), state({ name: 'x' })), []);
  });

  test('but nothing more, and nothing else', () => {
    assert.deepEqual(placesIn(state({ name: 'x' }), state({})), ['.unsigned.prev_content.name']);
    assert.deepEqual(placesIn(state({ name: 'y' }), state({ name: 'x' })), ['.unsigned.prev_content.name']);
  });

  test('of what was not redacted one says as much', () => {
    const id = event('d');
    assert.deepEqual(placesIn(state({}, id), state({ name: 'x' }, id)), ['.unsigned.prev_content.name']);
  });
});

describe('lists', () => {
  test('order counts, but where nobody says it', () => {
    assert.deepEqual(placesOf([1, 2], [2, 1]), ['[0]', '[1]']);
    assert.deepEqual(placesOf({ list: [1, 2] }, { list: [2, 1] }, /\.list$/), []);
    const members = [
      { type: 'm.room.member', state_key: '@a:x', content: {} },
      { type: 'm.room.member', state_key: '@b:x', content: {} },
    ];
    assert.deepEqual(placesOf({ list: members }, { list: members.toReversed() }, everyList), []);
  });

  test('of lists of which one is longer what only one has is told', () => {
    const pairing = createPairing();
    const found = compare(
      { chunk: [message(event('a'), 'one'), message(event('b'), 'two', '@bob:x')] },
      { chunk: [message(event('c'), 'one')] },
      { pairing },
    );
    assert.deepEqual(found, [{ where: '.chunk', portico: [message(event('b'), 'two', '@bob:x')], synapse: [] }]);
    assert.deepEqual(placesOf([1, 2, 2], [1, 2]), ['']);
  });

  test('what such lists share is compared all the same', () => {
    const pairing = createPairing();
    pairing.pair(event('a'), event('c'));
    const found = compare(
      { chunk: [message(event('a'), 'one'), message(event('b'), 'two', '@bob:x')] },
      { chunk: [message(event('c'), 'another')] },
      { pairing },
    );
    assert.deepEqual(
      found.map(({ where, portico }) => [where, portico]),
      [
        ['.chunk', [message(event('b'), 'two', '@bob:x')]],
        ['.chunk[0].content.body', 'one'],
      ],
    );
  });

  test('new events of such lists are not taken for one another', () => {
    const pairing = createPairing();
    placesOf(
      [message(event('a'), 'one'), message(event('b'), 'two')],
      [message(event('d'), 'two')],
      undefined,
      pairing,
    );
    assert.equal(pairing.isTaken(event('d')), false);
  });

  test('two events that are not alike are told as a whole', () => {
    const [ours, theirs] = [message(event('a'), 'one'), message(event('c'), 'one', '@bob:x')];
    assert.deepEqual(placesOf([ours], [theirs]), ['[0]']);
  });
});

describe('push rules', () => {
  const rule = (id: string, more: object = {}) => ({
    rule_id: id,
    default: false,
    enabled: true,
    actions: [],
    ...more,
  });
  const ofServer = (id: string) => rule(id, { default: true });

  test('those of the server have no order, those of people have one', () => {
    const [a, b] = [ofServer('.m.a'), ofServer('.m.b')];
    assert.deepEqual(placesOf({ override: [a, b] }, { override: [b, a] }), []);
    assert.deepEqual(placesOf({ override: [rule('a'), rule('b')] }, { override: [rule('b'), rule('a')] }), [
      '.override.own rules[0]',
      '.override.own rules[1]',
    ]);
  });

  test('what is done has no order, and that it is no highlight is no difference', () => {
    const [sound, quiet] = [
      { set_tweak: 'sound', value: 'default' },
      { set_tweak: 'highlight', value: false },
    ];
    assert.deepEqual(placesOf({ actions: ['notify', quiet, sound] }, { actions: [sound, 'notify'] }), []);
    assert.deepEqual(placesOf({ actions: ['notify', sound] }, { actions: ['notify'] }), ['.actions']);
    assert.deepEqual(placesOf({ actions: ['notify', { set_tweak: 'highlight' }] }, { actions: ['notify'] }), [
      '.actions',
    ]);
  });

  test('what they do and whether they are on is compared', () => {
    const on = rule('a', { actions: ['notify', { set_tweak: 'highlight', value: false }] });
    assert.deepEqual(placesOf([on], [rule('a', { actions: ['notify'] })]), []);
    assert.deepEqual(placesOf([on], [rule('a', { actions: ['notify'], enabled: false })]), ['.rule a.enabled']);
    assert.deepEqual(placesOf([on], [rule('a')]), ['.rule a.actions']);
    assert.deepEqual(placesOf([on, rule('b')], [on]), ['.rule b', '.own rules']);
  });
});
