import { isJsonObject, isUserId, type JsonObject, parseJson } from '@portico/protocol';
import type { InviteDecision } from '@portico/protocol/privacy/invites/decide-invite.ts';
import {
  type InviteConfigType,
  inviteConfigTypes,
  parseInviteConfig,
} from '@portico/protocol/privacy/invites/invite-config.ts';
import { createWriteSet, type Database } from '@portico/storage';
import { readAccountDataOfTypes } from '@portico/storage/stores/accounts/account-data-of-types.ts';
import { listAccountJobKinds, startAccountJob } from '@portico/storage/stores/accounts/accounts-jobs.ts';
import { refuseDeactivated } from '@portico/storage/stores/accounts/accounts-deactivate.ts';
import { listPendingInvites, type PendingPlace } from '@portico/storage/stores/rooms/pending-invites.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { ignoredUserList, parseIgnoredUsers } from '../reading/ignored-users.ts';
import { formatChoice, type InviteChoice } from './invite-choice.ts';
import type { InviteRules } from './invite-rules.ts';
import { rejectInvitesJob } from './reject-invites-job.ts';

type RuleEvent = {
  readonly type: InviteConfigType;
  readonly content: JsonObject;
  /** Whether its lists count; `default_action` does in any case. */
  readonly lists: 'in_force' | 'disabled' | 'malformed';
  /** The list because of which none counts. */
  readonly malformed_list?: string;
};

export type InviteRulesInForce = {
  /** In front of everyone's own rules. */
  readonly server_policy: JsonObject;
  readonly ignored_users: readonly string[];
  readonly events: readonly RuleEvent[];
};

export type PendingInvite = {
  readonly room_id: string;
  readonly inviter: string;
  readonly origin_server_ts: number;
  readonly decision: DecisionAnswer;
};

export type DecisionAnswer = {
  readonly action: InviteDecision['action'];
  readonly rule: InviteDecision['rule'];
  readonly source?: string;
  readonly entry?: string;
};

/** With which people see, try and carry out what they have set. */
export interface InviteControl {
  rules(userId: string): Promise<InviteRulesInForce>;
  /** What would become of an invitation. */
  decide(userId: string, inviter: string): Promise<DecisionAnswer>;
  /** All that are pending, the hidden ones included: it is the only place where a person can look through these. */
  pending(
    userId: string,
    page: { readonly from: string | undefined; readonly limit: number | undefined },
  ): Promise<{ readonly invites: readonly PendingInvite[]; readonly next_batch?: string; readonly rejecting: boolean }>;
  /** Starts to decline invitations; goes on in the background until it is done. */
  reject(userId: string, choice: InviteChoice): Promise<void>;
}

type Dependencies = {
  readonly db: Database;
  readonly inviteRules: InviteRules;
  readonly policy: JsonObject;
  readonly now: () => number;
};

const defaultLimit = 50;
const maxLimit = 200;

export function createInviteControl({ db, inviteRules, policy, now }: Dependencies): InviteControl {
  return {
    async rules(userId) {
      const rows = await readAccountDataOfTypes(db, userId, [...inviteConfigTypes, ignoredUserList]);
      const contents = new Map(rows.map((row) => [row.type, row.content]));
      return {
        server_policy: policy,
        ignored_users: [...(await parseIgnoredUsers(contents.get(ignoredUserList) ?? '{}', userId))],
        events: inviteConfigTypes.flatMap((type) => {
          const content = contents.get(type);
          return content === undefined ? [] : [describe(type, content)];
        }),
      };
    },
    async decide(userId, inviter) {
      if (!isUserId(inviter)) throw new MatrixError('request.invalid-param', { message: 'user_id is not a user ID.' });
      return toAnswer(await inviteRules.decide(inviter, userId));
    },
    async pending(userId, { from, limit = defaultLimit }) {
      const wanted = Math.min(Math.max(limit, 1), maxLimit);
      const rows = await listPendingInvites(db, userId, parsePlace(from), wanted + 1);
      const shown = rows.slice(0, wanted);
      const invites: PendingInvite[] = [];
      for (const { room_id: roomId, inviter, origin_server_ts: ts } of shown) {
        const decision = toAnswer(await inviteRules.decide(inviter, userId));
        invites.push({ room_id: roomId, inviter, origin_server_ts: ts, decision });
      }
      const last = shown.at(-1);
      const kinds = await listAccountJobKinds(db, userId);
      return {
        invites,
        ...(last && rows.length > wanted && { next_batch: `${last.position}_${last.room_nid}` }),
        rejecting: kinds.includes(rejectInvitesJob),
      };
    },
    async reject(userId, choice) {
      const set = createWriteSet();
      refuseDeactivated(set, userId);
      startAccountJob(set, userId, rejectInvitesJob, now(), formatChoice(choice));
      await db.commit(set);
    },
  };
}

function describe(type: InviteConfigType, text: string): RuleEvent {
  const value = parseJson(text);
  const content: JsonObject = isJsonObject(value) ? value : {};
  const { flaw } = parseInviteConfig(content);
  const malformed = flaw?.kind === 'malformed' ? { malformed_list: flaw.list } : {};
  return { type, content, lists: flaw?.kind ?? 'in_force', ...malformed };
}

function toAnswer({ action, rule, source, entry }: InviteDecision): DecisionAnswer {
  return { action, rule, ...(source !== undefined && { source }), ...(entry !== undefined && { entry }) };
}

function parsePlace(text: string | undefined): PendingPlace {
  if (text === undefined) return { position: Number.MAX_SAFE_INTEGER, roomNid: 0 };
  const [, position, roomNid] = /^(\d{1,15})_(\d{1,15})$/.exec(text) ?? [];
  if (position === undefined || roomNid === undefined) {
    throw new MatrixError('request.invalid-param', { message: '`from` is not a token of this list.' });
  }
  return { position: Number(position), roomNid: Number(roomNid) };
}
