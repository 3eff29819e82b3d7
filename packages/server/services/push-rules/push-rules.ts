import { type JsonObject, parseJson } from '@portico/protocol';
import {
  changePushRule,
  deletePushRule,
  findPushRule,
  type Neighbours,
  putPushRule,
  type RuleEdit,
} from '@portico/protocol/push/edit-rules.ts';
import { hasTooManyPushRules, parseActions, parsePushRule } from '@portico/protocol/push/parse-rule.ts';
import { isPushRuleKind, type PushRule, type PushRuleKind, type PushRuleset } from '@portico/protocol/push/rule.ts';
import { readPushRules, renderPushRule, renderPushRules } from '@portico/protocol/push/stored-rules.ts';
import { createWriteSet, type Database, StorageError } from '@portico/storage';
import { findPushRules, readJoinedRooms, replacePushRules } from '@portico/storage/stores/push/push-rules.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { createQueuesByKey } from '../queues-by-key.ts';
import { appendRulesChange } from '../unread/rules-change.ts';

/** Somebody's push rules. {@link https://spec.matrix.org/v1.19/client-server-api/#push-rules-api} */
export interface PushRules {
  /** All of them; also the content of the `m.push_rules` event of somebody who never changed any. */
  all(userId: string): Promise<{ readonly global: JsonObject }>;
  ofKind(userId: string, kind: string): Promise<readonly PushRule[]>;
  get(userId: string, kind: string, ruleId: string): Promise<PushRule>;
  put(userId: string, kind: string, ruleId: string, body: JsonObject, place: Neighbours): Promise<void>;
  delete(userId: string, kind: string, ruleId: string): Promise<void>;
  setEnabled(userId: string, kind: string, ruleId: string, body: JsonObject): Promise<void>;
  setActions(userId: string, kind: string, ruleId: string, body: JsonObject): Promise<void>;
}

const maxBytes = 128 * 1024;
/** Enough for several processes of which each makes one change at a time. */
const maxAttempts = 20;
/** Of one person. Clients change a dozen rules at once. */
const mostWaiting = 100;

type Dependencies = {
  readonly db: Database;
  /** Whether it matters to somebody how events are announced. */
  readonly isPushed?: (userId: string) => boolean;
};

export function createPushRules({ db, isPushed = () => false }: Dependencies): PushRules {
  const queues = createQueuesByKey(mostWaiting);

  async function load(userId: string): Promise<{ ruleset: PushRuleset; position: number | undefined }> {
    const stored = await findPushRules(db, userId);
    const ruleset = readPushRules(stored && parseJson(stored.content));
    return { ruleset, position: stored?.position };
  }

  async function attempt(userId: string, change: (ruleset: PushRuleset) => RuleEdit): Promise<void> {
    const { ruleset, position } = await load(userId);
    const edit = change(ruleset);
    if (edit.kind === 'not-found') throw new MatrixError('push-rule.not-found');
    if (edit.kind === 'no-neighbour') {
      throw new MatrixError('push-rule.no-neighbour', { message: `before/after rule not found: ${edit.ruleId}` });
    }
    const content = JSON.stringify(renderPushRules(edit.ruleset, userId));
    if (hasTooManyPushRules(edit.ruleset) || Buffer.byteLength(content) > maxBytes) {
      throw new MatrixError('push-rule.too-many');
    }
    const set = createWriteSet();
    replacePushRules(set, userId, content, position);
    appendRulesChange(set, userId, await readJoinedRooms(db, userId), {
      before: ruleset,
      after: edit.ruleset,
      isPushed: isPushed(userId),
    });
    await db.commit(set);
  }

  function edit(userId: string, change: (ruleset: PushRuleset) => RuleEdit): Promise<void> {
    return queues.run(userId, () => editInTurn(userId, change));
  }

  /** Another process may change rules at the same moment: the later one starts over from what the other left. */
  async function editInTurn(userId: string, change: (ruleset: PushRuleset) => RuleEdit): Promise<void> {
    for (let attempts = 1; ; attempts++) {
      try {
        return await attempt(userId, change);
      } catch (error) {
        const isRace = error instanceof StorageError && error.reason === 'guard-failed';
        if (!isRace || attempts === maxAttempts) throw error;
      }
    }
  }

  return {
    async all(userId) {
      return renderPushRules((await load(userId)).ruleset, userId);
    },
    async ofKind(userId, kind) {
      if (!isPushRuleKind(kind)) throw noSuchKind();
      return (await load(userId)).ruleset[kind].map((rule) => renderPushRule(rule, userId));
    },
    async get(userId, kind, ruleId) {
      const { ruleset } = await load(userId);
      const rule = findPushRule(ruleset, getKind(kind), ruleId);
      if (rule === undefined) throw new MatrixError('push-rule.not-found');
      return renderPushRule(rule, userId);
    },
    async put(userId, kind, ruleId, body, place) {
      if (!isPushRuleKind(kind)) throw noSuchKind();
      const parsed = parsePushRule(kind, ruleId, body);
      if (parsed.kind === 'missing') throw new MatrixError('request.missing-param', { message: parsed.reason });
      if (parsed.kind === 'invalid') throw new MatrixError('request.invalid-param', { message: parsed.reason });
      await edit(userId, (ruleset) => putPushRule(ruleset, kind, parsed.rule, place));
    },
    async delete(userId, kind, ruleId) {
      const known = getKind(kind);
      await edit(userId, (ruleset) => deletePushRule(ruleset, known, ruleId));
    },
    async setEnabled(userId, kind, ruleId, body) {
      const known = getKind(kind);
      const { enabled } = body;
      if (enabled === undefined) throw new MatrixError('request.missing-param', { message: 'enabled is missing' });
      if (typeof enabled !== 'boolean') {
        throw new MatrixError('request.invalid-param', { message: 'enabled must be true or false' });
      }
      await edit(userId, (ruleset) => changePushRule(ruleset, known, ruleId, { enabled }));
    },
    async setActions(userId, kind, ruleId, body) {
      const known = getKind(kind);
      const { actions: given } = body;
      if (given === undefined) throw new MatrixError('request.missing-param', { message: 'actions is missing' });
      const actions = parseActions(given);
      if (actions === undefined) {
        throw new MatrixError('request.invalid-param', { message: 'actions must be a list of strings and tweaks' });
      }
      await edit(userId, (ruleset) => changePushRule(ruleset, known, ruleId, { actions }));
    },
  };
}

function noSuchKind(): MatrixError {
  return new MatrixError('request.invalid-param', { message: 'There is no such kind of push rule.' });
}

function getKind(kind: string): PushRuleKind {
  if (!isPushRuleKind(kind)) throw new MatrixError('push-rule.not-found');
  return kind;
}
