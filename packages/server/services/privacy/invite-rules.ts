import type { JsonObject } from '@portico/protocol';
import {
  decideInviteSteps,
  type InviteDecision,
  type InviteRules as Rules,
} from '@portico/protocol/privacy/invites/decide-invite.ts';
import {
  inviteConfigTypes,
  type InviteConfig,
  type InviteConfigType,
  inviteConfigTextSteps,
  parseInviteConfig,
} from '@portico/protocol/privacy/invites/invite-config.ts';
import type { Database } from '@portico/storage';
import { readAccountDataOfTypes } from '@portico/storage/stores/accounts/account-data-of-types.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { inSteps } from '../in-steps.ts';
import { createPacer } from '../pacer.ts';
import { createAccountDataMemory } from '../reading/account-data-memory.ts';
import { ignoredUserList, parseIgnoredUsers } from '../reading/ignored-users.ts';

/**
 * Who may invite the people of this server, and what these get to see of it. Every door at which an invitation comes in and
 * every exit at which one would be shown asks here.
 */
export interface InviteRules {
  /** What becomes of an invitation, and why. */
  decide(inviter: string, invitee: string): Promise<InviteDecision>;
  /**
   * For the doors: throws if the invitation may not be made. An ignored one passes, and nothing that happens before the
   * inviter is answered depends on it.
   */
  refuseBlocked(inviter: string, invitee: string): Promise<void>;
  /** For the exits: whether the invitee gets to see an invitation, or anything that follows from it. */
  isVisible(inviter: string, invitee: string): Promise<boolean>;
  /** The same for many invitations to one person: those inviters whom they do not get to see. */
  hiddenOf(invitee: string, inviters: readonly string[]): Promise<ReadonlySet<string>>;
  /** The position at which somebody last changed what they want. */
  changedAt(userId: string): Promise<number>;
  /** What is in force for somebody. */
  rulesOf(userId: string): Promise<Rules>;
}

type Dependencies = {
  readonly db: Database;
  /** Of the whole server, in the shape of the account data. */
  readonly policy?: JsonObject | undefined;
  readonly noticesUser?: string | undefined;
};

type Remembered = {
  readonly rules: Rules;
  readonly changedAt: number;
  readonly decisions: Map<string, InviteDecision>;
  readonly weight: number;
};

const types: readonly string[] = [...inviteConfigTypes, ignoredUserList];
/** In characters, about. */
const maxWeight = 32 * 1024 * 1024;
const weightOfAnyone = 500;
const maxDecisions = 200;

export function createInviteRules({ db, policy, noticesUser }: Dependencies): InviteRules {
  const serverPolicy = policy === undefined || Object.keys(policy).length === 0 ? undefined : parseInviteConfig(policy);

  const memory = createAccountDataMemory<Remembered>(db, {
    maxWeight,
    weigh: ({ weight }) => weight,
    async load(userId) {
      const rows = await readAccountDataOfTypes(db, userId, types);
      const contents = new Map(rows.map((row) => [row.type, row]));
      const ignoredList = contents.get(ignoredUserList)?.content;
      const configs: (readonly [InviteConfigType, InviteConfig])[] = [];
      for (const type of inviteConfigTypes) {
        const content = contents.get(type)?.content;
        const config = content === undefined ? undefined : await inSteps(inviteConfigTextSteps(content));
        if (config !== undefined) configs.push([type, config]);
      }
      return {
        rules: {
          noticesUser,
          policy: serverPolicy,
          ignored: ignoredList === undefined ? new Set() : await parseIgnoredUsers(ignoredList, userId),
          configs,
        },
        changedAt: Math.max(0, ...rows.map((row) => row.stream_position)),
        decisions: new Map(),
        weight: rows.reduce((sum, row) => sum + row.content.length, weightOfAnyone),
      };
    },
  });

  async function decideFrom({ rules, decisions }: Remembered, inviter: string): Promise<InviteDecision> {
    const known = decisions.get(inviter);
    if (known !== undefined) return known;
    const decision = await inSteps(decideInviteSteps(inviter, rules));
    if (decisions.size < maxDecisions) decisions.set(inviter, decision);
    return decision;
  }

  async function decide(inviter: string, invitee: string): Promise<InviteDecision> {
    return decideFrom(await memory.of(invitee), inviter);
  }

  return {
    decide,
    async refuseBlocked(inviter, invitee) {
      const { action, source } = await decide(inviter, invitee);
      if (action === 'block') throw new MatrixError(reasonFor(source));
    },
    isVisible: async (inviter, invitee) => (await decide(inviter, invitee)).action === 'allow',
    async hiddenOf(invitee, inviters) {
      const remembered = await memory.of(invitee);
      const hidden = new Set<string>();
      const pace = createPacer();
      for (const inviter of new Set(inviters)) {
        if ((await decideFrom(remembered, inviter)).action !== 'allow') hidden.add(inviter);
        await pace();
      }
      return hidden;
    },
    changedAt: async (userId) => (await memory.of(userId)).changedAt,
    rulesOf: async (userId) => (await memory.of(userId)).rules,
  };
}

/** "The error `M_INVITE_BLOCKED` should be `ORG.MATRIX.MSC4155.M_INVITE_BLOCKED` until this proposal is accepted into the spec." */
function reasonFor(source: InviteDecision['source']) {
  const unstable: InviteConfigType = 'org.matrix.msc4155.invite_permission_config';
  return source === unstable ? 'invite.blocked-unstable' : 'invite.blocked';
}
