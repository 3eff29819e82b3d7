/**
 * A room's state, or part of one: what stands under each event type and state key. Two levels, because types and state
 * keys may contain any character, which leaves none to join them with.
 */
export type StateMap<Value = string> = ReadonlyMap<string, ReadonlyMap<string, Value>>;

export type MutableStateMap<Value = string> = Map<string, Map<string, Value>>;

export type StateEntry<Value = string> = readonly [type: string, stateKey: string, value: Value];

/** A state of entries; of two with the same type and state key the last one counts. */
export function stateMapOf<Value>(entries: Iterable<StateEntry<Value>>): MutableStateMap<Value> {
  const state: MutableStateMap<Value> = new Map();
  for (const [type, stateKey, value] of entries) setEntry(state, type, stateKey, value);
  return state;
}

/** What stands under a type and state key. */
export function getEntry<Value>(state: StateMap<Value>, type: string, stateKey: string): Value | undefined {
  return state.get(type)?.get(stateKey);
}

/** Puts a value under a type and state key, in place of the one that stands there. */
export function setEntry<Value>(state: MutableStateMap<Value>, type: string, stateKey: string, value: Value): void {
  const ofType = state.get(type);
  if (ofType === undefined) state.set(type, new Map([[stateKey, value]]));
  else ofType.set(stateKey, value);
}

/** All entries, those of one type after the other. */
export function* entriesOf<Value>(state: StateMap<Value>): Generator<StateEntry<Value>> {
  for (const [type, ofType] of state) {
    for (const [stateKey, value] of ofType) yield [type, stateKey, value];
  }
}
