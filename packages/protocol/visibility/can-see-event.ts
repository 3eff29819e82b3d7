/** {@link https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility} */
export type HistoryVisibility = 'world_readable' | 'shared' | 'invited' | 'joined';

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban';

/** What decides whether somebody may see an event. "Before" and "after" are the states on both sides of the event. */
export type VisibilityQuestion = {
  readonly visibility: HistoryVisibility;
  /** Where the event sets the history visibility. */
  readonly visibilityAfter?: HistoryVisibility | undefined;
  /** The viewer's membership before the event; `leave` for someone who never had one. */
  readonly membership: Membership;
  /** Where the event is the viewer's own membership. */
  readonly membershipAfter?: Membership | undefined;
  /** Whether the viewer is joined now, or was at any time after the event. */
  readonly joinedLater: boolean;
  /** Whether the event's sender had everything erased that they sent. */
  readonly senderErased?: boolean;
  /** Whether the event is sticky still, and the viewer joined now. */
  readonly stickyForJoined?: boolean;
};

export type VisibilityRule =
  | 'visibility.world-readable'
  | 'visibility.joined'
  | 'visibility.shared'
  | 'visibility.invited'
  | 'visibility.sticky'
  | 'visibility.sender-erased'
  | 'visibility.not-a-member';

export type VisibilityAnswer = { readonly answer: 'yes' | 'redacted' | 'no'; readonly rule: VisibilityRule };

/**
 * The one evaluator of history visibility.
 *
 * > The rules governing whether a user is allowed to see an event depend on the state of the room *at that event*.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#server-behaviour-9}
 */
export function canSeeEvent(question: VisibilityQuestion): VisibilityAnswer {
  const { membership, membershipAfter = membership, visibility, visibilityAfter = visibility } = question;
  const rule =
    allowingRule(question, visibility, membership) ??
    allowingRule(question, visibilityAfter, membershipAfter) ??
    // "History visibility checks MUST NOT be applied to sticky events. Any joined user is authorised to see sticky events for
    // the duration they remain sticky." {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4354}
    (question.stickyForJoined === true ? 'visibility.sticky' : undefined);
  if (rule === undefined) return { answer: 'no', rule: 'visibility.not-a-member' };
  // Who was joined when it was sent has seen it; nobody else may learn now what it said.
  if (question.senderErased === true && membership !== 'join' && membershipAfter !== 'join') {
    return { answer: 'redacted', rule: 'visibility.sender-erased' };
  }
  return { answer: 'yes', rule };
}

function allowingRule(
  { joinedLater }: VisibilityQuestion,
  visibility: HistoryVisibility,
  membership: Membership,
): VisibilityRule | undefined {
  if (visibility === 'world_readable') return 'visibility.world-readable';
  if (membership === 'join') return 'visibility.joined';
  if (visibility === 'shared' && joinedLater) return 'visibility.shared';
  if (visibility === 'invited' && membership === 'invite') return 'visibility.invited';
  return undefined;
}

/**
 * > By default if no `history_visibility` is set, or if the value is not understood, the visibility is assumed to be
 * > `shared`.
 */
export function toHistoryVisibility(value: unknown): HistoryVisibility {
  switch (value) {
    case 'world_readable':
    case 'invited':
    case 'joined':
      return value;
    default:
      return 'shared';
  }
}

export function toMembership(value: unknown): Membership {
  switch (value) {
    case 'join':
    case 'invite':
    case 'knock':
    case 'ban':
      return value;
    default:
      return 'leave';
  }
}
