import type { JsonObject } from '@portico/protocol';
import { memberSteps } from '@portico/protocol/json/members-in-steps.ts';
import type { RecipientMatch } from '@portico/protocol/privacy/presence/match-recipient.ts';
import { isRestricted, openPolicy, type PresencePolicy } from '@portico/protocol/privacy/presence/policy.ts';
import {
  presenceSharingSteps,
  sharingLists,
  sharingTypes,
  type PresenceSharing,
} from '@portico/protocol/privacy/presence/sharing.ts';
import type { Reader } from '@portico/storage';
import { isDeleted } from '@portico/storage/stores/accounts/accounts-data.ts';
import { type PresenceSettingRow, readPresenceSettings } from '@portico/storage/stores/presence/presence.ts';
import type { IgnoredUsers } from '../reading/ignored-users.ts';
import { createSmallCache, type SmallCache } from '../reading/small-cache.ts';
import { inSteps } from '../in-steps.ts';

/** Everything that a person has set about who gets their presence, ready to be asked. */
export type CompiledPolicy = {
  readonly policy: PresencePolicy;
  /** Whether the policy's lists say anything, apart from whom the person ignores. */
  readonly isRestricted: boolean;
  readonly ignored: ReadonlySet<string>;
  /** Whether looking somebody up in the lists may take longer than the event loop can wait. */
  readonly isHeavy: boolean;
  /** What is known already of people who were looked up. */
  readonly matches: SmallCache<string, RecipientMatch>;
  /** Another one once anything of it is set anew. */
  readonly version: string;
  /** About what it takes in memory, in characters. */
  readonly weight: number;
};

/** What is not set, and only looked at. */
export type PolicyDraft = Pick<CompiledPolicy, 'policy' | 'ignored'>;

export interface Policies {
  /** What is set now. */
  load(userId: string): Promise<CompiledPolicy>;
  known(userId: string): CompiledPolicy | undefined;
  /** What would be in force if a person had set this: whom they ignore and what the server says is as it is. */
  draft(userId: string, content: JsonObject): Promise<PolicyDraft>;
  /** Account data of somebody has changed: it may have been their settings. */
  forget(userId: string): void;
}

/** What the server's settings say: `{}` for nothing. */
export type ServerRules = {
  readonly default: PresenceSharing | undefined;
  readonly overrides: PresencePolicy['overrides'];
};

type Dependencies = {
  readonly reader: Reader;
  readonly ignored: Pick<IgnoredUsers, 'of'>;
  readonly rules: ServerRules;
};

/** In characters, which take eight bytes or so each where entries are short. */
const maxWeight = 8 * 1024 * 1024;
const weightOfAnyone = 400;
const heavyLength = 32 * 1024;
const maxMatches = 2000;

export function createPolicies({ reader, ignored, rules }: Dependencies): Policies {
  const cache = createSmallCache<string, CompiledPolicy>(maxWeight, ({ weight }) => weight);
  const loads = new Map<string, Promise<CompiledPolicy>>();

  async function compile(userId: string): Promise<CompiledPolicy> {
    const rows = await readPresenceSettings(reader, userId, sharingTypes);
    const own = findContent(rows, sharingTypes.stable) ?? findContent(rows, sharingTypes.unstable);
    const policy: PresencePolicy = {
      ...(own === undefined ? unset() : { source: 'own', own: await parse(own) }),
      overrides: rules.overrides,
    };
    return {
      policy,
      isRestricted: isRestricted(policy),
      ignored: await ignored.of(userId),
      isHeavy: (own?.length ?? 0) > heavyLength,
      matches: createSmallCache(maxMatches),
      version: rows
        .map((row) => `${row.type} ${row.stream_position}`)
        .sort()
        .join(),
      weight: weightOfAnyone + (own?.length ?? 0),
    };
  }

  function unset(): Omit<PresencePolicy, 'overrides'> {
    return rules.default === undefined ? openPolicy : { source: 'default', own: rules.default };
  }

  function keep(userId: string, compiled: CompiledPolicy): CompiledPolicy {
    cache.set(userId, compiled);
    return compiled;
  }

  return {
    known: cache.get,
    async draft(userId, content) {
      const isSet = Object.keys(content).length > 0;
      const own: Omit<PresencePolicy, 'overrides'> = isSet
        ? { source: 'own', own: await inSteps(presenceSharingSteps(content)) }
        : unset();
      return {
        policy: { ...own, overrides: rules.overrides },
        ignored: await ignored.of(userId),
      };
    },
    load(userId) {
      const found = cache.get(userId);
      if (found !== undefined) return Promise.resolve(found);
      const underWay = loads.get(userId);
      if (underWay !== undefined) return underWay;
      const loading: Promise<CompiledPolicy> = compile(userId)
        .then((compiled) => (loads.get(userId) === loading ? keep(userId, compiled) : compiled))
        .finally(() => {
          if (loads.get(userId) === loading) loads.delete(userId);
        });
      loads.set(userId, loading);
      return loading;
    },
    forget(userId) {
      cache.delete(userId);
      // A load under way may have read what was there before: whoever asks from now on reads again.
      loads.delete(userId);
    },
  };
}

/** What is deleted is not set: clients are told that there is nothing, and what else is there counts. */
function findContent(rows: readonly PresenceSettingRow[], type: string): string | undefined {
  return rows.find((row) => row.type === type && !isDeleted(row))?.content;
}

/** May be as large as account data may be. */
async function parse(content: string): Promise<PresenceSharing> {
  const members = await inSteps(memberSteps(content, sharingLists));
  if (members === undefined) return { kind: 'malformed' };
  const lists = Array.from(members, ([name, member]) => [name, member.kind === 'list' ? member.texts : {}] as const);
  return inSteps(presenceSharingSteps(Object.fromEntries(lists)));
}
