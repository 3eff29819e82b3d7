import type { PushAction, PushCondition, PushRule, PushRuleset } from './rule.ts';

/**
 * Stands for the owner of the rules in the default rules, so that they are the same for everyone. No user ID, and no
 * text that a person could have written in a rule, begins like this.
 */
export const ownUserId = '\u0000own-user-id';

const notify = 'notify';
const highlight: PushAction = { set_tweak: 'highlight' };
const sound = (value: string): PushAction => ({ set_tweak: 'sound', value });

const match = (key: string, pattern: string): PushCondition => ({ kind: 'event_match', key, pattern });
const memberCount = (is: string): PushCondition => ({ kind: 'room_member_count', is });

function rule(
  rule_id: string,
  conditions: readonly PushCondition[],
  actions: readonly PushAction[],
  enabled = true,
): PushRule {
  return Object.freeze({ rule_id, default: true, enabled, conditions: Object.freeze(conditions), actions });
}

/**
 * The server-default rules, most important first.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#predefined-rules}
 */
export const defaultPushRules: PushRuleset = Object.freeze({
  // https://spec.matrix.org/v1.19/client-server-api/#default-override-rules
  override: [
    rule('.m.rule.master', [], [], false),
    /*
     * https://github.com/matrix-org/matrix-spec-proposals/pull/4028
     * Off until somebody turns it on: a client that does not look into what it is told of would show everything that is
     * said in encrypted rooms of which only mentions are wanted.
     */
    rule('.org.matrix.msc4028.encrypted_event', [match('type', 'm.room.encrypted')], [notify], false),
    rule('.m.rule.suppress_notices', [match('content.msgtype', 'm.notice')], []),
    rule(
      '.m.rule.invite_for_me',
      [match('type', 'm.room.member'), match('content.membership', 'invite'), match('state_key', ownUserId)],
      [notify, sound('default')],
    ),
    rule('.m.rule.member_event', [match('type', 'm.room.member')], []),
    // https://spec.matrix.org/v1.19/client-server-api/#_m_rule_is_user_mention
    rule(
      '.m.rule.is_user_mention',
      [{ kind: 'event_property_contains', key: 'content.m\\.mentions.user_ids', value: ownUserId }],
      [notify, sound('default'), highlight],
    ),
    // https://spec.matrix.org/v1.19/client-server-api/#_m_rule_is_room_mention
    rule(
      '.m.rule.is_room_mention',
      [
        { kind: 'event_property_is', key: 'content.m\\.mentions.room', value: true },
        { kind: 'sender_notification_permission', key: 'room' },
      ],
      [notify, highlight],
    ),
    // https://spec.matrix.org/v1.19/client-server-api/#mruletombstone
    rule('.m.rule.tombstone', [match('type', 'm.room.tombstone'), match('state_key', '')], [notify, highlight]),
    // https://spec.matrix.org/v1.19/client-server-api/#mrulereaction
    rule('.m.rule.reaction', [match('type', 'm.reaction')], []),
    rule('.m.rule.room.server_acl', [match('type', 'm.room.server_acl'), match('state_key', '')], []),
    rule(
      '.m.rule.suppress_edits',
      [{ kind: 'event_property_is', key: 'content.m\\.relates_to.rel_type', value: 'm.replace' }],
      [],
    ),
    // https://github.com/matrix-org/matrix-spec-proposals/pull/3930
    rule('.org.matrix.msc3930.rule.poll_response', [match('type', 'org.matrix.msc3381.poll.response')], []),
  ],
  content: [],
  /*
   * They make threads silent for who has not subscribed to them. Off until somebody turns them on: most clients subscribe to
   * no thread, and their people would hear of none any more.
   */
  postcontent: [true, false].map((subscribed) =>
    rule(
      `.io.element.msc4306.rule.${subscribed ? 'subscribed' : 'unsubscribed'}_thread`,
      [{ kind: 'io.element.msc4306.thread_subscription', subscribed }],
      subscribed ? [notify, sound('default')] : [],
      false,
    ),
  ),
  room: [],
  sender: [],
  // https://spec.matrix.org/v1.19/client-server-api/#default-underride-rules
  underride: [
    rule('.m.rule.call', [match('type', 'm.call.invite')], [notify, sound('ring')]),
    rule(
      '.m.rule.encrypted_room_one_to_one',
      [memberCount('2'), match('type', 'm.room.encrypted')],
      [notify, sound('default')],
    ),
    rule('.m.rule.room_one_to_one', [memberCount('2'), match('type', 'm.room.message')], [notify, sound('default')]),
    rule('.m.rule.message', [match('type', 'm.room.message')], [notify]),
    rule('.m.rule.encrypted', [match('type', 'm.room.encrypted')], [notify]),
    // https://github.com/matrix-org/matrix-spec-proposals/pull/3930
    ...['start', 'end'].flatMap((what) => {
      const isPoll = match('type', `org.matrix.msc3381.poll.${what}`);
      const id = `.org.matrix.msc3930.rule.poll_${what}`;
      return [
        rule(`${id}_one_to_one`, [memberCount('2'), isPoll], [notify, sound('default')]),
        rule(id, [isPoll], [notify]),
      ];
    }),
  ],
});
