import type { ExportPerson } from '../../../services/privacy/export.ts';
import type { InviteControl } from '../../../services/privacy/invite-control.ts';
import type { PresenceControl } from '../../../services/privacy/presence-control.ts';
import type { Endpoint } from '../../endpoint.ts';
import { exportPerson } from './export-person.ts';
import { getInviteDecision } from './get-invite-decision.ts';
import { getInviteRules } from './get-invite-rules.ts';
import { getPendingInvites } from './get-pending-invites.ts';
import { getPresenceDecision } from './get-presence-decision.ts';
import { getPresenceSights } from './get-presence-sights.ts';
import { previewPresence } from './preview-presence.ts';
import { rejectInvites } from './reject-invites.ts';

/** The services behind what people control of their privacy. */
export type PrivacyServices = {
  readonly inviteControl: InviteControl;
  readonly presenceControl: PresenceControl;
  readonly exportData: ExportPerson;
};

export const privacyEndpoints: readonly Endpoint<PrivacyServices>[] = [
  getInviteRules,
  getInviteDecision,
  getPendingInvites,
  rejectInvites,
  getPresenceSights,
  getPresenceDecision,
  previewPresence,
  exportPerson,
];
