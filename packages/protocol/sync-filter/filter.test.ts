import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { threadTime } from '@portico/testkit/thread-time.ts';
import * as fc from 'fast-check';
import { parseJson } from '../json/parse-json.ts';
import { parsePropertyPath } from '../json/property-path.ts';
import type { JsonObject } from '../json/value.ts';
import {
  looksAtRelations,
  passesEventFilter,
  passesEverything,
  passesNothing,
  passesRelations,
  passesRooms,
} from './event-filter.ts';
import { parseEventFields, pickFields } from './event-fields.ts';
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

  test('an empty list of what may pass lets nothing pass, and of what may not, everything', () => {
    const relTypes = 'org.matrix.msc3874.rel_types';
    const notRelTypes = 'org.matrix.msc3874.not_rel_types';
    for (const field of ['types', 'senders', relTypes]) {
      assert.ok(passesNothing(roomFilterOf({ [field]: [] })), field);
      const filter = roomFilterOf({ [field]: ['@a:x'] });
      assert.ok(!passesNothing(filter) && !passesEverything(filter), field);
    }
    for (const field of ['not_types', 'not_senders', notRelTypes]) {
      assert.ok(passesEverything(roomFilterOf({ [field]: [] })), field);
      const filter = roomFilterOf({ [field]: ['@a:x'] });
      assert.ok(!passesNothing(filter) && !passesEverything(filter), field);
    }
    for (const contains_url of [true, false]) assert.ok(!passesEverything(roomFilterOf({ contains_url })));
    const filter = roomFilterOf({});
    assert.ok(passesEverything(filter) && !passesNothing(filter));
  });

  test('what nobody sent is not among those of senders that are left out', () => {
    const filter = roomFilterOf({ not_senders: ['@a:x'] });
    assert.equal(passesEventFilter(filter, { type: 't', sender: undefined }), true);
  });

  test('relations can be chosen and excluded; an event that relates to none is in no list of them', () => {
    const passing = (json: JsonObject) => {
      const filter = roomFilterOf(json);
      return [undefined, 'm.thread', 'm.replace', 'm.reference'].filter((type) => passesRelations(filter, type));
    };
    const both = {
      'org.matrix.msc3874.rel_types': ['m.thread', 'm.replace'],
      'org.matrix.msc3874.not_rel_types': ['m.replace'],
    };
    const { 'org.matrix.msc3874.rel_types': _chosen, ...excluded } = both;
    assert.deepEqual(passing({}), [undefined, 'm.thread', 'm.replace', 'm.reference']);
    assert.deepEqual(passing(both), ['m.thread']);
    assert.deepEqual(passing(excluded), [undefined, 'm.thread', 'm.reference']);
    assert.deepEqual(
      [{}, both, excluded].map((json) => looksAtRelations(roomFilterOf(json))),
      [false, true, true],
    );
    assert.equal(looksAtRelations(filterOf({}).presence), false);
  });

  test('each field of a filter is read from where it is, and null says nothing', () => {
    const lists = { types: ['a'], not_types: ['b'], senders: ['@c:x'], not_senders: ['@d:x'] };
    const flags = { lazy_load_members: true, include_redundant_members: true, unread_thread_notifications: true };
    const ofRoom = { ...lists, ...flags, limit: 0, contains_url: false, rooms: ['!e'], not_rooms: ['!f'] };
    for (const name of ['timeline', 'state', 'ephemeral', 'account_data']) {
      const { room, presence, accountData } = filterOf({ room: { [name]: ofRoom } });
      const read = { ...room, account_data: room.accountData } as Record<string, unknown>;
      assert.deepEqual(read[name], roomFilterOf(ofRoom), name);
      assert.notDeepEqual(read[name], roomFilterOf({}));
      assert.ok(passesEverything(presence) && passesEverything(accountData));
    }
    const { lazyLoadMembers, includeRedundantMembers, unreadThreadNotifications, ...rest } = roomFilterOf(ofRoom);
    assert.deepEqual([lazyLoadMembers, includeRedundantMembers, unreadThreadNotifications], [true, true, true]);
    assert.deepEqual(
      [rest.limit, rest.containsUrl, rest.rooms, rest.notRooms],
      [0, false, new Set(['!e']), new Set(['!f'])],
    );
    const empty = roomFilterOf(Object.fromEntries(Object.keys(ofRoom).map((name) => [name, null])));
    assert.deepEqual(empty, roomFilterOf({}));
    const { lazyLoadMembers: lazy, includeRedundantMembers: redundant, unreadThreadNotifications: threads } = empty;
    assert.deepEqual([lazy, redundant, threads, empty.limit, empty.rooms], [false, false, false, undefined, undefined]);

    const whole = filterOf({
      event_fields: ['content.body'],
      event_format: 'federation',
      presence: lists,
      account_data: { limit: 7 },
      room: { rooms: ['!a'], not_rooms: ['!b'], include_leave: true },
    });
    assert.deepEqual([whole.eventFields, whole.eventFormat], [parseEventFields(['content.body']), 'federation']);
    assert.deepEqual([whole.presence.senders, whole.accountData.limit], [new Set(['@c:x']), 7]);
    assert.deepEqual([whole.room.rooms, whole.room.notRooms], [new Set(['!a']), new Set(['!b'])]);
    assert.equal(whole.room.includeLeave, true);
    assert.equal(filterOf({ room: null }).room.rooms, undefined);
  });

  test('rooms can be chosen and excluded', () => {
    const filter = roomFilterOf({ rooms: ['!a', '!b'], not_rooms: ['!b'] });
    assert.deepEqual(
      ['!a', '!b', '!c'].map((room) => passesRooms(filter, room)),
      [true, false, false],
    );
    const excluded = roomFilterOf({ not_rooms: ['!b'] });
    assert.deepEqual(
      ['!a', '!b'].map((room) => passesRooms(excluded, room)),
      [true, false],
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
    [{ event_fields: ['a', 1] }, 'event_fields must be a list of strings'],
    [{ room: { not_rooms: ['!a', '@a:x'] } }, 'room.not_rooms must be a list of room IDs'],
    [{ account_data: { limit: 1.5 } }, 'account_data.limit must be an integer that is not negative'],
    [{ account_data: { limit: 2 ** 53 } }, 'account_data.limit must be an integer that is not negative'],
    [{ account_data: { limit: '1' } }, 'account_data.limit must be an integer that is not negative'],
    [{ event_format: 1, presence: 1 }, 'event_format must be one of client, federation'],
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

  test('what stands before a star and what stands behind it do not overlap', () => {
    assert.equal(matchesGlob(parseGlob('ab*ba'), 'aba'), false);
    assert.equal(matchesGlob(parseGlob('ab*ba'), 'abba'), true);
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
    const pick = (...some: string[]) => JSON.parse(JSON.stringify(pickFields(event, parseEventFields(some)))) as object;
    assert.deepEqual(pick('type', 'content.body', 'content.deep.a', 'content.none', 'type.x'), {
      type: 't',
      content: { body: 'b', deep: { a: 1 } },
    });
    assert.deepEqual(event, before);
    for (const none of [
      'content.deep.c',
      'content.none.a',
      'sender.length',
      'constructor',
      'content.constructor.name',
    ]) {
      assert.deepEqual(pick(none), {}, none);
    }
    assert.deepEqual(pick('content.deep.a', 'content.deep.b', 'content.body'), {
      content: { body: 'b', deep: { a: 1, b: 2 } },
    });
  });

  test('a field may have any name', () => {
    const event = parseJson('{"content":{"a":1,"__proto__":{"b":2,"c":3},"constructor":4}}') as JsonObject;
    const paths = ['content.a', 'content.__proto__.b', 'content.constructor', 'content.__proto__.c'];
    assert.equal(
      JSON.stringify(pickFields(event, parseEventFields(paths))),
      '{"content":{"a":1,"__proto__":{"b":2,"c":3},"constructor":4}}',
    );
  });

  test('thousands of fields of an event that has thousands are picked at once', () => {
    const names = Array.from({ length: 5000 }, (_each, index) => `k${index}`);
    const event = { content: Object.fromEntries(names.map((name) => [name, 1])) };
    const parts = names.map((name) => `content.${name}`);
    for (const paths of [parts, ['content', ...parts], [...parts, 'content'], ['.'.repeat(60_000), ...parts]]) {
      const started = threadTime();
      assert.deepEqual(JSON.parse(JSON.stringify(pickFields(event, parseEventFields(paths)))), event);
      assert.ok(threadTime() - started < 200);
    }
  });

  test('a whole object and a part of it are the whole', () => {
    const event = { content: { a: 1, b: 2 } };
    for (const paths of [
      ['content', 'content.a'],
      ['content.a', 'content'],
    ]) {
      assert.deepEqual(JSON.parse(JSON.stringify(pickFields(event, parseEventFields(paths)))), event);
      assert.deepEqual(event, { content: { a: 1, b: 2 } });
    }
  });
});
