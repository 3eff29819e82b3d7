export { emptyState, sameState } from './node.ts';
export type { StateRoot } from './node.ts';
export { openStateStore } from './state-store.ts';
export type { Question, StateChange, StateEdit, StateKey, StatePart, StateStore } from './state-store.ts';
export type { Difference } from './diff.ts';
export type { EntriesPage } from './walk.ts';
export type { StatePath } from './key-hash.ts';
