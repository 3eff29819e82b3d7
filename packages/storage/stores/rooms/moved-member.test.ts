import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWriteSet } from '../../write-set.ts';
import { movedMemberOf, noteMovedMember } from './moved-member.ts';

test('who has moved is told with the commit, whatever their name has in it', () => {
  for (const userId of ['@alice:a.org', '@an old name with blanks:a.org:8448']) {
    const set = createWriteSet();
    noteMovedMember(set, { roomNid: 12, userId });
    assert.deepEqual(set.changes.map(movedMemberOf), [{ roomNid: 12, userId }]);
  }
});

test('other changes tell of nobody', () => {
  assert.equal(movedMemberOf({ kind: 'account_data', key: '12 @alice:a.org' }), undefined);
  assert.equal(movedMemberOf({ kind: '*', key: '' }), undefined);
});
