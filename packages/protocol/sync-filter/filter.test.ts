import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import * as fc from 'fast-check';
import { parsePropertyPath } from '../json/property-path.ts';
import type { JsonObject } from '../json/value.ts';
import { passesEventFilter, passesEverything, passesNothing, passesRooms } from './event-filter.ts';
import { pickFields } from './event-fields.ts';
import { parseFilter, parseRoomEventFilter, type Filter } from './filter.ts';
import { matchesGlob, parseGlob } from './glob.ts';

function filterOf(json: JsonObject): Filter {
  const parsed = parseFilter(json);
  assert.ok(parsed.problem === undefined);
  return parsed.filter;
}

function roomFilterOf(json: JsonObject) {
  const parsed = parseRoomEventFilter(json);
  assert.ok(parsed.problem === undefined);
  return parsed.filter;
}

describe('filters', () => {
  test('a filter that says nothing lets everything pass', () => {
    const { room, eventFormat, eventFields } = filterOf({});
    assert.ok(passesEverything(room.timeline));
    assert.equal(room.includeLeave, false);
    assert.equal(room.timeline.lazyLoadMembers, false);
    assert.equal(eventFormat, 'client');
    assert.equal(eventFields, undefined);
  });

  test('types may have stars, and what is excluded stays out even if it is included', () => {
    const filter = roomFilterOf({ types: ['m.room.*', 'org.x'], not_types: ['m.room.topic'] });
    const passes = (type: string) => passesEventFilter(filter, { type, sender: '@a:x' });
    assert.deepEqual(['m.room.name', 'm.room.topic', 'org.x', 'org.xy', 'm.room.'].map(passes), [
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  test('senders are listed one by one; what nobody sent passes only where no senders are asked for', () => {
    const filter = roomFilterOf({ senders: ['@a:x', '@b:x'], not_senders: ['@b:x'] });
    assert.deepEqual(
      ['@a:x', '@b:x', '@c:x', undefined].map((sender) => passesEventFilter(filter, { type: 't', sender })),
      [true, false, false, false],
    );
  });

  test('an empty list of types lets nothing pass', () => {
    assert.ok(passesNothing(roomFilterOf({ types: [] })));
    assert.ok(!passesNothing(roomFilterOf({ not_types: [] })));
  });

  test('rooms can be chosen and excluded', () => {
    const filter = roomFilterOf({ rooms: ['!a', '!b'], not_rooms: ['!b'] });
    assert.deepEqual(
      ['!a', '!b', '!c'].map((room) => passesRooms(filter, room)),
      [true, false, false],
    );
  });

  for (const [json, problem] of [
    [{ room: { timeline: { limit: -1 } } }, 'room.timeline.limit must be an integer that is not negative'],
    [{ room: { state: { types: 'm.room.name' } } }, 'room.state.types must be a list of strings'],
    [{ room: { rooms: [1] } }, 'room.rooms must be a list of room IDs'],
    [{ room: { timeline: { rooms: ['a-room'] } } }, 'room.timeline.rooms must be a list of room IDs'],
    [{ presence: { not_senders: ['!a:x'] } }, 'presence.not_senders must be a list of user IDs'],
    [{ event_format: 'xml' }, 'event_format must be one of client, federation'],
    [{ room: [] }, 'room must be an object'],
    [{ room: { include_leave: 'yes' } }, 'room.include_leave must be true or false'],
  ] as const) {
    test(`refused: ${problem}`, () => assert.deepEqual(parseFilter(json), { problem }));
  }
});

describe('globs', () => {
  test('agree with a regular expression made from the pattern', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '.') });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*') });
    fc.assert(
      fc.property(pattern, text, (pattern, text) => {
        const expression = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`, 's');
        assert.equal(matchesGlob(parseGlob(pattern), text), expression.test(text));
      }),
      { numRuns: 500 },
    );
  });

  test('a pattern full of stars is answered at once', () => {
    const started = threadTime();
    assert.equal(matchesGlob(parseGlob('*a'.repeat(20_000)), 'a'.repeat(19_999)), false);
    assert.ok(threadTime() - started < 200);
  });
});

describe('event fields', () => {
  test('paths are separated by dots, which a backslash takes their meaning', () => {
    assert.deepEqual(parsePropertyPath('content.body'), ['content', 'body']);
    assert.deepEqual(parsePropertyPath(String.raw`content.m\.relates_to.a\\b`), [
      'content',
      'm.relates_to',
      String.raw`a\b`,
    ]);
  });

  test('only what is named is kept, and the event itself stays as it is', () => {
    const event = { type: 't', content: { body: 'b', html: 'h', deep: { a: 1, b: 2 } }, sender: '@a:x' };
    const before = structuredClone(event);
    const paths = ['type', 'content.body', 'content.deep.a', 'content.none', 'type.x'].map(parsePropertyPath);
    assert.deepEqual(JSON.parse(JSON.stringify(pickFields(event, paths))), {
      type: 't',
      content: { body: 'b', deep: { a: 1 } },
    });
    assert.deepEqual(event, before);
  });

  test('a whole object and a part of it are the whole', () => {
    const event = { content: { a: 1, b: 2 } };
    for (const paths of [
      ['content', 'content.a'],
      ['content.a', 'content'],
    ]) {
      assert.deepEqual(JSON.parse(JSON.stringify(pickFields(event, paths.map(parsePropertyPath)))), event);
    }
  });
});
