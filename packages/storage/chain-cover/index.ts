export { createChainStore } from './chain-store.ts';
export type { ChainAssignment, ChainStore } from './chain-store.ts';
export type { NewStateEvent, PlacedEvent } from './assign.ts';
export type { ChainPosition } from './closure.ts';
export type { CommonState } from './common-search.ts';
