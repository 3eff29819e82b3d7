import type { RoomVersionRules } from '../room-versions/rules.ts';
import type { Resolution, ResolutionInput } from './resolution.ts';
import { resolveV1 } from './resolve-v1.ts';
import { resolveV2 } from './resolve-v2.ts';
import { runSteps, type Steps } from '../steps.ts';

/**
 * Resolves the states of a room by its version's algorithm. The answer is either the resolution or what is still needed to find it; the
 * steps up to there are then taken again with what was loaded, of which there are at most four rounds.
 *
 * It yields after every event: how many there are in conflict, servers of others decide.
 */
export function resolveConflictsInSteps(rules: RoomVersionRules, input: ResolutionInput): Steps<Resolution> {
  switch (rules.stateResolution) {
    case 'v1':
      return resolveV1(rules, input);
    case 'v2':
    case 'v2.1':
      return resolveV2(rules, input);
    default:
      return rules.stateResolution satisfies never;
  }
}

/** The same at once, where only so much is in conflict as is in memory. */
export function resolveConflicts(rules: RoomVersionRules, input: ResolutionInput): Resolution {
  return runSteps(resolveConflictsInSteps(rules, input));
}
