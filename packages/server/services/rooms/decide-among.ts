import { maxPrevEvents } from '@portico/protocol/events/limits.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { branchesToFollow } from './branches.ts';
import { decide, type DecideContext, keysOf, lettingGo, NotInMemory } from './decide.ts';
import type { Draft } from './draft.ts';
import { type Extremity, getKnown, type RoomHead } from './head.ts';
import { placeAmong, type PlaceDependencies, softFailure } from './receiving/place.ts';
import type { Step } from './steps.ts';

export type DecideAmongDependencies = DecideContext & PlaceDependencies;

/**
 * Decides one event on top of a head, as `decide` does. Where the room has more branches than one event can follow, it is decided
 * on some of them, as other servers will judge it, and has its place among the others like an event of another server: each
 * event of this server leaves fewer branches.
 */
export function decideAmong(deps: DecideAmongDependencies, head: RoomHead, draft: Draft, eventNid: number): Step {
  if (head.extremities.length <= maxPrevEvents) return decide(deps, head, draft, eventNid);
  const extremities = chooseBranches(deps, head, draft);
  const roots = extremities.map(({ state }) => state);
  const { state, edit } = deps.merger.merge(head, roots, roots[0] ?? head.state);
  const part: RoomHead = { ...head, extremities, state, known: new Map() };
  const made: Pick<Step, 'edits' | 'chain'>[] = [{ edits: edit === undefined ? [] : [edit], chain: undefined }];
  try {
    const keys = keysOf(head.rules, draft);
    if (!deps.known.knowNow(part, keys)) throw new NotInMemory(() => deps.known.know(part, keys));
    const step = decide(deps, part, draft, eventNid);
    made.push(step);
    const { event, stored, chain } = step;
    if (event.stateKey !== undefined) deps.stateEvents.add({ nid: eventNid, event });
    const refusal = softFailure(deps, head, event);
    if (refusal !== undefined) throw new MatrixError('forbidden', { message: refusal.reason });
    return placeAmong(deps, head, {
      event,
      stored,
      stateAfter: step.head.state,
      follows: event.prevEvents,
      edits: made.flatMap(({ edits }) => edits),
      chain,
      isAside: false,
      pendingRedaction: undefined,
    });
  } catch (error) {
    throw lettingGo(error, () => {
      for (const { edits, chain } of made) {
        for (const each of edits) deps.states.settle(each, false);
        if (chain !== undefined) deps.chains.settle(chain, false);
      }
    });
  }
}

function chooseBranches({ states }: DecideAmongDependencies, head: RoomHead, draft: Draft): readonly Extremity[] {
  const keys = keysOf(head.rules, draft);
  const current = keys.map(([type, stateKey]) => getKnown(head, type, stateKey)?.nid);
  const questions = head.extremities.map(({ state }) => states.getMany(state, keys));
  const entries = questions.map((question) => question.now()?.value);
  if (entries.includes(undefined)) {
    throw new NotInMemory(async () => void (await Promise.all(questions.map((question) => question.run()))));
  }
  return branchesToFollow(
    head.extremities,
    entries.map((each) => each ?? []),
    current,
  );
}
