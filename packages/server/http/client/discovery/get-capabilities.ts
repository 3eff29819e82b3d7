import { Type } from 'typebox';
import { maxDelay, maxScheduled } from '../../../services/delayed-events/limits.ts';
import type { AppDevices } from '../../../services/accounts/app-devices.ts';
import type { EmailValidations } from '../../../services/third-party-ids/validations.ts';
import { endpoint } from '../../endpoint.ts';

export type RoomVersionSupport = {
  readonly defaultVersion: string;
  /** The versions in which rooms can be made and joined. */
  readonly versions: readonly string[];
};

const enabled = Type.Object({ enabled: Type.Boolean() }, { title: 'BooleanCapability' });

const accountModeration = Type.Object(
  { lock: Type.Boolean(), suspend: Type.Boolean() },
  { title: 'AccountModerationCapability' },
);

const delayedEventsCapability = Type.Object(
  { max_delay_ms: Type.Integer(), max_scheduled: Type.Integer() },
  { title: 'DelayedEventsCapability' },
);

const response = Type.Object(
  {
    capabilities: Type.Object(
      {
        'm.room_versions': Type.Object(
          { default: Type.String(), available: Type.Record(Type.String(), Type.String()) },
          { title: 'RoomVersionsCapability' },
        ),
        'm.change_password': enabled,
        'm.set_displayname': enabled,
        'm.set_avatar_url': enabled,
        'm.3pid_changes': enabled,
        'm.profile_fields': enabled,
        'm.get_login_token': enabled,
        'm.delayed_events': delayedEventsCapability,
        'org.matrix.msc4140.delayed_events': delayedEventsCapability,
        'm.account_moderation': Type.Optional(accountModeration),
        'uk.timedout.msc4323': Type.Optional(accountModeration),
      },
      { title: 'Capabilities' },
    ),
  },
  { title: 'CapabilitiesResponse' },
);

type Services = {
  roomVersions: RoomVersionSupport;
  emailValidations: Pick<EmailValidations, 'isAvailable'>;
  appDevices: AppDevices;
};

const delayedEvents = { max_delay_ms: maxDelay, max_scheduled: maxScheduled };
const yes = { enabled: true };
const all = { lock: true, suspend: true };
const no = { enabled: false };

export const getCapabilities = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/capabilities',
    operationId: 'getCapabilities',
    summary: "Gets information about the server's capabilities.",
    auth: 'user',
    response,
  },
  ({ roomVersions, emailValidations, appDevices }: Services) => {
    const available = Object.fromEntries(roomVersions.versions.map((version) => [version, 'stable']));
    const capabilities = {
      'm.room_versions': { default: roomVersions.defaultVersion, available },
      'm.change_password': yes,
      'm.set_displayname': yes,
      'm.set_avatar_url': yes,
      'm.3pid_changes': emailValidations.isAvailable ? yes : no,
      'm.profile_fields': yes,
      'm.get_login_token': yes,
      'm.delayed_events': delayedEvents,
      'org.matrix.msc4140.delayed_events': delayedEvents,
    };
    const forAdministrators = { 'm.account_moderation': all, 'uk.timedout.msc4323': all };
    // What takes a password is done on the account page.
    const forApps = { 'm.change_password': no, 'm.3pid_changes': no, 'm.get_login_token': no };
    return async ({ sender }) => ({
      capabilities: {
        ...capabilities,
        ...(sender.isAdmin && forAdministrators),
        ...((await appDevices.has(sender)) && forApps),
      },
    });
  },
);
