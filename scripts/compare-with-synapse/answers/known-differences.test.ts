import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Difference } from './differences.ts';
import { reasonFor } from './known-differences.ts';

const room = '.rooms.!abcdefghij:compared.localhost';
const event = { event_id: '$e', type: 'm.room.message', sender: '@a:x', content: { body: 'x' } };

type Case = readonly [what: string, where: string, portico: Difference['portico'], synapse: Difference['synapse']];

describe('what is known', () => {
  const cases: readonly Case[] = [
    ['POST v3/join/!', '', { status: 403, errcode: 'M_FORBIDDEN' }, { status: 403, errcode: 'M_BAD_STATE' }],
    ['sync of u0/D0', `${room}.timeline[0].room_id`, undefined, '!abcdefghij:compared.localhost'],
    ['GET v3/devices', '.body.devices[0].last_seen_ts', undefined, 1],
    ['sync of u0/D0', `${room}.typing`, ['@a:x'], null],
  ];
  for (const [what, where, portico, synapse] of cases) {
    test(`${what}: ${where}`, () => assert.notEqual(reasonFor(what, { where, portico, synapse }), undefined));
  }
});

describe('what nobody would want to be known', () => {
  const cases: readonly Case[] = [
    ['sync of u0/D0', room, undefined, { section: 'join' }],
    ['sync of u0/D0', `${room}.timeline`, [], [event]],
    ['sync of u0/D0', `${room}.timeline`, [event], []],
    ['sync of u0/D0', `${room}.timeline[0].content.body`, 'a', 'b'],
    ['sync of u0/D0', `${room}.unread.notification_count`, 1, 0],
    ['sync of u0/D0', `${room}.receipts.m.read.@a:x.unthreaded`, '$one', '$two'],
    ['sync of u0/D0', `${room}.receipts.m.read.@a:x`, { unthreaded: '$one' }, undefined],
    ['sync of u0/D0', `${room}.receipts.m.read.@a:x`, undefined, { unthreaded: '$one' }],
    ['sync of u0/D0', `${room}.state.m.room.member.@a:x.content.displayname`, undefined, 'A'],
    ['sync of u0/D0', `${room}.state.m.room.member.@a:x.content.avatar_url`, undefined, 'mxc://x/y'],
    ['sync of u0/D0', `${room}.typing`, ['@a:x'], []],
    ['sync of u0/D0', '.deviceLists.@a:x', undefined, 'changed'],
    ['sync of u0/D0', '.accountData.x.a', undefined, { a: 1 }],
    ['sliding sync of u0/D0', `${room}.timeline`, [], [event]],
    ['sliding sync of u0/D0', `${room}.facts.name`, 'a', 'b'],
    ['sliding sync of u0/D0', '.count', 1, 2],
    ['PUT v3/rooms/!/send/m.room.message/t1', '', { status: 403, errcode: 'M_FORBIDDEN' }, { status: 200, body: {} }],
    ['GET v3/rooms/!/messages', '.body.chunk', [event], []],
    ['GET v3/rooms/!/state', '.body[0].content.name', 'a', 'b'],
    ['GET v3/notifications', '.body.notifications', [], [{ event }]],
    ['GET v3/notifications', '.body.notifications', [{ event }], []],
    ['POST v3/search', '.body.search_categories.room_events.count', 1, 2],
    ['GET v3/pushrules/', '.body.global.override.rule .m.rule.master.enabled', true, false],
  ];
  for (const [what, where, portico, synapse] of cases) {
    test(`${what}: ${where}`, () => assert.equal(reasonFor(what, { where, portico, synapse }), undefined));
  }
});
