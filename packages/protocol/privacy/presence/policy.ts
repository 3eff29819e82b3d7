import { isEmptyList } from './sharing-list.ts';
import { emptySharing, type PresenceSharing, type SharingLists } from './sharing.ts';

/** Everything that is set about whom a person shares their presence with. */
export type PresencePolicy = {
  /** Whether they set it themselves, it is the server's default, or nothing is set. */
  readonly source: 'own' | 'default' | 'none';
  readonly own: PresenceSharing;
  /**
   * The server's, in front of that. It only takes away: `denied` are barred, unless `allowed` exempts them; then what
   * the person set decides. Of its rooms, `denied` count as no reason to share, and members of `allowed` are exempt.
   */
  readonly overrides: SharingLists;
};

export const openPolicy: PresencePolicy = {
  source: 'none',
  own: { kind: 'lists', ...emptySharing },
  overrides: emptySharing,
};

/** Whether the lists of a policy say anything. Whom the person ignores counts all the same. */
export function isRestricted({ source, overrides }: PresencePolicy): boolean {
  return source !== 'none' || !isEmptyList(overrides.denied);
}
