import type { Migration } from './migration.ts';

/** What has become of people's invitations. */
export const privacy: Migration = {
  version: 15,
  name: 'privacy',
  statements: ['create index membership_changes_of_member on membership_changes (user_id, room_nid, position)'],
};
