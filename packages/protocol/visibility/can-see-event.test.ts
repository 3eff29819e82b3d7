import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  canSeeEvent,
  toHistoryVisibility,
  toMembership,
  type HistoryVisibility,
  type Membership,
  type VisibilityRule,
} from './can-see-event.ts';

type Row = readonly [HistoryVisibility, Membership, joinedLater: boolean, VisibilityRule];

const memberships: readonly Membership[] = ['join', 'invite', 'knock', 'leave', 'ban'];
const visibilities: readonly HistoryVisibility[] = ['world_readable', 'shared', 'invited', 'joined'];

/** Everything that is not here is `not-a-member`. */
const allowed: readonly Row[] = [
  ...memberships.flatMap((membership): Row[] => [
    ['world_readable', membership, false, 'visibility.world-readable'],
    ['world_readable', membership, true, 'visibility.world-readable'],
  ]),
  ...visibilities.slice(1).flatMap((visibility): Row[] => [
    [visibility, 'join', false, 'visibility.joined'],
    [visibility, 'join', true, 'visibility.joined'],
  ]),
  ...memberships.slice(1).map((membership): Row => ['shared', membership, true, 'visibility.shared']),
  ['invited', 'invite', false, 'visibility.invited'],
  ['invited', 'invite', true, 'visibility.invited'],
];

const anyVisibility = fc.constantFrom(...visibilities);
const anyMembership = fc.constantFrom(...memberships);

describe('who may see an event', () => {
  for (const visibility of visibilities) {
    for (const membership of memberships) {
      for (const joinedLater of [false, true]) {
        const row = allowed.find((row) => row[0] === visibility && row[1] === membership && row[2] === joinedLater);
        const rule = row?.[3] ?? 'visibility.not-a-member';
        test(`${visibility}, ${membership}, ${joinedLater ? 'joined later' : 'never joined after'}: ${rule}`, () => {
          const answer = rule === 'visibility.not-a-member' ? 'no' : 'yes';
          assert.deepEqual(canSeeEvent({ visibility, membership, joinedLater }), { answer, rule });
        });
      }
    }
  }

  test('a change of history visibility is seen by whoever may see one of its two sides', () => {
    const stranger = { membership: 'leave', joinedLater: false } as const;
    for (const [visibility, visibilityAfter] of [
      ['world_readable', 'joined'],
      ['joined', 'world_readable'],
    ] as const) {
      assert.equal(canSeeEvent({ ...stranger, visibility, visibilityAfter }).answer, 'yes');
    }
  });

  test('a person sees their own join and their own way out, whatever the history visibility', () => {
    const visibility = 'joined';
    for (const [membership, membershipAfter] of [
      ['invite', 'join'],
      ['join', 'leave'],
      ['join', 'ban'],
    ] as const) {
      assert.equal(canSeeEvent({ visibility, membership, membershipAfter, joinedLater: false }).answer, 'yes');
    }
    const unban = { visibility, membership: 'ban', membershipAfter: 'leave', joinedLater: false } as const;
    assert.equal(canSeeEvent(unban).answer, 'no');
  });

  test('what an erased person said stays whole for who was there, and is redacted for who came later', () => {
    const question = { visibility: 'shared', joinedLater: true, senderErased: true } as const;
    assert.equal(canSeeEvent({ ...question, membership: 'join' }).answer, 'yes');
    // An event that changes the membership is sent to who was joined on either side of it.
    assert.equal(canSeeEvent({ ...question, membership: 'join', membershipAfter: 'ban' }).answer, 'yes');
    assert.equal(canSeeEvent({ ...question, membership: 'invite', membershipAfter: 'join' }).answer, 'yes');
    assert.deepEqual(canSeeEvent({ ...question, membership: 'leave' }), {
      answer: 'redacted',
      rule: 'visibility.sender-erased',
    });
  });

  test('erasure never shows more, and only world_readable rooms show anything to who was never in', () => {
    fc.assert(
      fc.property(anyVisibility, anyMembership, fc.boolean(), (visibility, membership, joinedLater) => {
        const open = canSeeEvent({ visibility, membership, joinedLater }).answer;
        const erased = canSeeEvent({ visibility, membership, joinedLater, senderErased: true }).answer;
        assert.equal(erased === 'no', open === 'no');
        if (membership === 'leave' && !joinedLater) assert.equal(open === 'yes', visibility === 'world_readable');
      }),
    );
  });

  test('unknown values count as shared and as not being a member', () => {
    for (const visibility of visibilities) assert.equal(toHistoryVisibility(visibility), visibility);
    for (const membership of memberships) assert.equal(toMembership(membership), membership);
    assert.equal(toHistoryVisibility('nonsense'), 'shared');
    assert.equal(toHistoryVisibility(undefined), 'shared');
    assert.equal(toMembership(7), 'leave');
  });
});

test('who is joined sees what is sticky, whatever the history visibility; not what its sender had erased', () => {
  for (const visibility of ['invited', 'joined'] as const) {
    const question = { visibility, membership: 'leave', joinedLater: true } as const;
    assert.equal(canSeeEvent(question).answer, 'no');
    assert.equal(canSeeEvent({ ...question, stickyForJoined: false }).answer, 'no');
    assert.deepEqual(canSeeEvent({ ...question, stickyForJoined: true }), { answer: 'yes', rule: 'visibility.sticky' });
    const erased = canSeeEvent({ ...question, stickyForJoined: true, senderErased: true });
    assert.deepEqual(erased, { answer: 'redacted', rule: 'visibility.sender-erased' });
  }
});
