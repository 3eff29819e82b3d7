import { decidePresence, type PresenceDecision } from '@portico/protocol/privacy/presence/decide.ts';
import { matchRecipient, matchSteps, type RecipientMatch } from '@portico/protocol/privacy/presence/match-recipient.ts';
import type { OwnPeople } from './own-people.ts';
import { inSteps } from '../in-steps.ts';
import { type PeopleRooms, type RoomsOfPerson, shareRoom, sharedRooms } from './people-rooms.ts';
import type { CompiledPolicy, Policies, PolicyDraft } from './policies.ts';
import type { RemotePeople } from './remote-people.ts';
import type { PresenceView } from './view.ts';

/**
 * What people see of each other's presence: the only place that asks the evaluator. Answers at once where everything it
 * takes is in memory.
 */
export interface Sight {
  /** Whether a person of this server shares their presence with somebody, of whichever server. */
  decide(userId: string, recipient: string): PresenceDecision | Promise<PresenceDecision>;
  /** The same if something else were set. */
  decideBy(draft: PolicyDraft, userId: string, recipient: string): Promise<PresenceDecision>;
  /** What somebody of this server sees of somebody else; `undefined` if that is nothing. */
  look(userId: string, recipient: string): PresenceView | undefined | Promise<PresenceView | undefined>;
}

type Dependencies = {
  readonly isOwn: (userId: string) => boolean;
  readonly own: Pick<OwnPeople, 'known'>;
  readonly remote: Pick<RemotePeople, 'viewFor'>;
  readonly policies: Policies;
  readonly rooms: PeopleRooms;
};

export function createSight({ isOwn, own, remote, policies, rooms }: Dependencies): Sight {
  function decideNow(
    compiled: CompiledPolicy,
    userId: string,
    recipient: string,
    mine: RoomsOfPerson,
    theirs: RoomsOfPerson,
  ): PresenceDecision | undefined {
    let match = compiled.matches.get(recipient);
    if (match === undefined) {
      if (compiled.isHeavy) return undefined;
      match = matchRecipient(compiled.policy, recipient);
      compiled.matches.set(recipient, match);
    }
    return evaluate(compiled, match, userId, recipient, mine, theirs);
  }

  async function decideLater(userId: string, recipient: string): Promise<PresenceDecision> {
    for (;;) {
      const compiled = await policies.load(userId);
      if (compiled.isHeavy && compiled.matches.get(recipient) === undefined) {
        compiled.matches.set(recipient, await inSteps(matchSteps(compiled.policy, recipient)));
      }
      await rooms.load([userId, recipient]);
      const [mine, theirs] = [rooms.known(userId), rooms.known(recipient)];
      const decision = mine && theirs && decideNow(compiled, userId, recipient, mine, theirs);
      if (decision !== undefined) return decision;
    }
  }

  function decide(userId: string, recipient: string): PresenceDecision | Promise<PresenceDecision> {
    const compiled = policies.known(userId);
    const [mine, theirs] = [rooms.known(userId), rooms.known(recipient)];
    const decision = compiled && mine && theirs && decideNow(compiled, userId, recipient, mine, theirs);
    return decision ?? decideLater(userId, recipient);
  }

  async function decideBy(draft: PolicyDraft, userId: string, recipient: string): Promise<PresenceDecision> {
    const match = await inSteps(matchSteps(draft.policy, recipient));
    for (;;) {
      await rooms.load([userId, recipient]);
      const [mine, theirs] = [rooms.known(userId), rooms.known(recipient)];
      if (mine && theirs) return evaluate(draft, match, userId, recipient, mine, theirs);
    }
  }

  async function lookLater(userId: string, recipient: string): Promise<PresenceView | undefined> {
    await rooms.load([userId, recipient]);
    return look(userId, recipient);
  }

  function look(userId: string, recipient: string): PresenceView | undefined | Promise<PresenceView | undefined> {
    if (!isOwn(userId)) {
      const [theirs, mine] = [rooms.known(userId), rooms.known(recipient)];
      if (theirs === undefined || mine === undefined) return lookLater(userId, recipient);
      return remote.viewFor(userId, recipient, shareRoom(theirs, mine));
    }
    const decision = decide(userId, recipient);
    if (decision instanceof Promise) return decision.then(({ allowed }) => (allowed ? own.known(userId) : undefined));
    return decision.allowed ? own.known(userId) : undefined;
  }

  return { decide, decideBy, look };
}

function evaluate(
  { policy, ignored }: PolicyDraft,
  match: RecipientMatch,
  userId: string,
  recipient: string,
  mine: RoomsOfPerson,
  theirs: RoomsOfPerson,
): PresenceDecision {
  return decidePresence(policy, match, {
    isSelf: userId === recipient,
    isIgnored: ignored.has(recipient),
    sharedRooms: { [Symbol.iterator]: () => sharedRooms(mine, theirs) },
  });
}
