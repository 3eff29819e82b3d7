import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { RoomInfo } from '../rooms/room-info.ts';
import { findDeniedInSpaces, findUpgraded } from './room-hints.ts';

const plain: Omit<RoomInfo, 'id' | 'name'> = {
  alias: undefined,
  kind: 'private',
  replacement: undefined,
  children: [],
};
const roomsOf = (...rooms: readonly (Partial<RoomInfo> & { readonly id: string })[]) => ({
  byId: new Map(rooms.map((room) => [room.id, { ...plain, name: room.id, ...room }])),
});

suite('a denied room of an allowed space is found', () => {
  const rooms = roomsOf(
    { id: '!s:x', kind: 'space', children: ['!a:x', '!unknown:x'] },
    { id: '!a:x' },
    { id: '!b:x' },
  );
  const table: readonly [what: string, allowed: unknown, denied: unknown, found: readonly string[]][] = [
    ['when it is one', ['!s:x'], ['!a:x'], ['!a:x']],
    ['only if it is part of it', ['!s:x'], ['!b:x'], []],
    ['only if the space is allowed', [], ['!a:x'], []],
    ['only if one is in it', ['!s:x'], ['!unknown:x'], []],
    ['not where the allowed room is no space', ['!b:x'], ['!a:x'], []],
    ['not where a list is none', 'all', ['!a:x'], []],
  ];
  for (const [what, allowed, denied, found] of table) {
    test(what, () => {
      const content = { allowed_users: allowed as string, denied_users: denied as string };
      assert.deepEqual(
        findDeniedInSpaces(content, rooms).map(({ room }) => room.id),
        found,
      );
    });
  }
});

suite('a room that has moved is found', () => {
  const rooms = roomsOf(
    { id: '!old:x', replacement: '!new:x' },
    { id: '!new:x' },
    { id: '!older:x', replacement: '!far:x' },
  );
  const table: readonly [what: string, denied: readonly string[], found: readonly unknown[]][] = [
    ['when its list does not name the new one', ['!old:x'], [['!old:x', '!new:x', true]]],
    ['not when it does', ['!old:x', '!new:x'], []],
    ['also if one is not in the new one yet', ['!older:x'], [['!older:x', '!far:x', false]]],
    ['not if it is not named', ['!new:x'], []],
    ['not if one is not in it', ['!elsewhere:x'], []],
  ];
  for (const [what, denied, found] of table) {
    test(what, () => {
      assert.deepEqual(
        findUpgraded({ denied_users: denied }, rooms).map(({ old, replacement, joined }) => [
          old.id,
          replacement,
          joined !== undefined,
        ]),
        found,
      );
    });
  }
});
