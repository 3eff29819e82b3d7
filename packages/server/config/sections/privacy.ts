import { inviter, inviterServer, sharingEntry } from '../rule-types.ts';
import { boolean, oneOf } from '../scalar-types.ts';
import { section, setting } from '../setting.ts';
import { list, record } from '../structured-types.ts';

const sharing = list(sharingEntry);
const presenceSharing = record({}, { allowed_users: sharing, denied_users: sharing });
const users = list(inviter);
const servers = list(inviterServer);
const inviteRules = record(
  {},
  {
    enabled: boolean,
    allowed_users: users,
    ignored_users: users,
    blocked_users: users,
    allowed_servers: servers,
    ignored_servers: servers,
    blocked_servers: servers,
    default_action: oneOf('allow', 'block'),
  },
);

export const privacy = section('Rules of the whole server in front of what people set for themselves.', {
  presence: section('Who gets to see who is online (the shapes are those of MSC4325).', {
    default: setting(presenceSharing, {
      default: '{}',
      help: 'The sharing configuration of everyone who set none.',
      example: '{ denied_users: ["@*:evil.example"] }',
    }),
    overrides: setting(presenceSharing, {
      default: '{}',
      help:
        "Counts before everyone's own configuration; people cannot loosen it. A server is meant with all of its ports, " +
        'in small letters or capitals.',
      example: '{ denied_users: ["@*:evil.example"] }',
    }),
    unaware_servers: setting(oneOf('share', 'withhold'), {
      default: 'share',
      help: 'Servers that do not know MSC4325 show presence to everyone who shares a room. withhold: they get it only if all of those may see it.',
    }),
  }),
  invites: setting(inviteRules, {
    default: '{}',
    help:
      "Invite rules in front of every user's own (the shape is that of MSC4155 and MSC4380). They can only refuse: what they allow, " +
      'people may still block or ignore.',
    example: '{ blocked_servers: ["evil.example"] }',
  }),
  deactivation_marker: setting(oneOf('unstable', 'both'), {
    default: 'unstable',
    help:
      'How the leaves of accounts that are deactivated say so (MSC3759): by org.matrix.msc3759.deactivated alone, or by ' +
      'm.deactivated as well.',
  }),
});
