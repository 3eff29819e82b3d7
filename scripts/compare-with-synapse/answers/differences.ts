import { isList, isObject, type Json, type JsonObject, textAt } from './json.ts';
import { isMadeUp, type Pairing } from './pairing.ts';

export type Difference = {
  /** Keys from the outside in, each after a dot, and places in lists. */
  readonly where: string;
  /** `undefined` if it is not there. */
  readonly portico: Json | undefined;
  readonly synapse: Json | undefined;
};

/** Times, tokens and words for people, which are each server's own. */
const ownValues = new Set([
  'access_token',
  'age',
  'creation_ts',
  'end',
  'error',
  'from',
  'last_seen_ip',
  'last_seen_ts',
  'latest_event_ts',
  'm.room.create_ts',
  'next_batch',
  'next_token',
  'origin_server_ts',
  'prev_batch',
  'rank',
  'received_ts',
  'start',
  'ts',
]);

/** By what the members of a list without order are told apart. */
const distinctive = ['type', 'state_key', 'sender', 'rule_id', 'user_id', 'room_id', 'device_id', 'event_id'];

/** By what two events are seen to be two, whatever else is different. */
const outlines = ['type', 'state_key', 'sender'];

type Options = {
  readonly pairing: Pairing;
  /** The places of lists whose order says nothing. */ readonly unordered?: RegExp;
};

/** Where two answers differ. IDs that were not known are paired on the way. */
export function compare(portico: Json, synapse: Json, { pairing, unordered }: Options): Difference[] {
  const found: Difference[] = [];
  compareValues('', pairing.translate(portico), synapse);
  return found;

  function note(where: string, ours: Json | undefined, theirs: Json | undefined): void {
    found.push({ where, portico: ours, synapse: theirs });
  }

  function compareValues(where: string, ours: Json, theirs: Json): void {
    if (ours === theirs) return;
    if (isList(ours) && isList(theirs)) compareLists(where, ours, theirs);
    else if (isObject(ours) && isObject(theirs)) compareObjects(where, ours, theirs);
    else if (!isSameId(ours, theirs)) note(where, ours, theirs);
  }

  function isSameId(ours: Json, theirs: Json): boolean {
    return (
      typeof ours === 'string' &&
      typeof theirs === 'string' &&
      isMadeUp(ours) &&
      isMadeUp(theirs) &&
      pairing.pair(ours, theirs)
    );
  }

  function compareLists(where: string, ours: readonly Json[], theirs: readonly Json[]): void {
    if (ours.length + theirs.length > 0 && areRules(ours) && areRules(theirs)) {
      compareObjects(where, byRule(ours), byRule(theirs));
      return;
    }
    const hasOrder = unordered === undefined || !unordered.test(where);
    const [left, right] = hasOrder ? [ours, theirs] : [inOrder(ours), inOrder(theirs)];
    if (left.length === right.length) {
      left.forEach((each, index) => compareValues(`${where}[${index}]`, each, right[index] ?? null));
      return;
    }
    const [onlyOurs, onlyTheirs] = withoutShared(left, right, isShared);
    note(where, onlyOurs, onlyTheirs);
  }

  function compareObjects(where: string, ours: JsonObject, theirs: JsonObject): void {
    if (outlines.some((key) => !isAlike(ours[key], theirs[key]))) {
      note(where, ours, theirs);
      return;
    }
    const left = { ...ours };
    const onlySynapse = Object.keys(theirs).filter((key) => !(key in ours));
    const onlyPortico = Object.keys(ours).filter((key) => !(key in theirs));
    const [newPortico, newSynapse] = [onlyPortico.filter(isNew), onlySynapse.filter(isNew)];
    const [ourKey, theirKey] = [newPortico[0], newSynapse[0]];
    if (newPortico.length === 1 && newSynapse.length === 1 && ourKey !== undefined && theirKey !== undefined) {
      pairing.pair(ourKey, theirKey);
      left[theirKey] = ours[ourKey] ?? null;
      delete left[ourKey];
    }
    for (const key of new Set([...Object.keys(left), ...Object.keys(theirs)])) {
      const [mine, yours] = [left[key], theirs[key]];
      if (mine === undefined || yours === undefined) note(`${where}.${key}`, mine, yours);
      else if (!ownValues.has(key)) compareValues(`${where}.${key}`, mine, yours);
    }
  }

  /** Whether two members of lists of different length are likely to be one. */
  function isShared(ours: Json, theirs: Json): boolean {
    if (!isObject(ours) || !isObject(theirs)) return ours === theirs;
    const [id, theirId] = [textAt(ours, 'event_id'), textAt(theirs, 'event_id')];
    if (id === undefined || theirId === undefined || id === theirId) return keyOf(ours) === keyOf(theirs);
    const areNew = !pairing.isTaken(id) && !pairing.isTaken(theirId);
    return areNew && outlines.every((key) => isAlike(ours[key], theirs[key]));
  }

  function isNew(key: string): boolean {
    return isMadeUp(key) && !pairing.isTaken(key);
  }

  function isAlike(ours: Json | undefined, theirs: Json | undefined): boolean {
    if (typeof ours !== 'string' || typeof theirs !== 'string') return true;
    return ours === theirs || (isMadeUp(ours) && isMadeUp(theirs));
  }
}

const areRules = (list: readonly Json[]): list is readonly JsonObject[] =>
  list.every((each) => isObject(each) && typeof each['rule_id'] === 'string');

/** Push rules by their IDs. Of their order, that of one's own rules is what people choose. */
function byRule(rules: readonly JsonObject[]): JsonObject {
  const own = rules.filter((rule) => rule['default'] !== true).map((rule) => rule['rule_id'] ?? null);
  const entries = rules.map((rule) => [`rule ${textAt(rule, 'rule_id')}`, plain(rule)] as const);
  return { ...Object.fromEntries(entries), 'own rules': own };
}

const noHighlight = { set_tweak: 'highlight', value: false };

/** A rule without what says nothing: the order of its conditions and actions, and that it does not highlight. */
function plain(rule: JsonObject): JsonObject {
  const { actions, conditions } = rule;
  const does = (action: Json): boolean => JSON.stringify(action) !== JSON.stringify(noHighlight);
  return {
    ...rule,
    ...(isList(actions) && { actions: inOrderOfText(actions.filter(does)) }),
    ...(isList(conditions) && { conditions: inOrderOfText(conditions) }),
  };
}

/** With the keys of objects in one order. */
function textOf(each: Json): string {
  return JSON.stringify(
    isObject(each)
      ? Object.keys(each)
          .toSorted()
          .map((key) => [key, each[key] ?? null])
      : each,
  );
}

function inOrderOfText(list: readonly Json[]): readonly Json[] {
  return list.toSorted((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

function keyOf(each: Json): string {
  return JSON.stringify(isObject(each) ? distinctive.map((key) => each[key] ?? '') : each);
}

function inOrder(list: readonly Json[]): readonly Json[] {
  return list.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** What each of two lists has alone. */
function withoutShared(
  ours: readonly Json[],
  theirs: readonly Json[],
  isShared: (ours: Json, theirs: Json) => boolean,
): readonly [readonly Json[], readonly Json[]] {
  const onlyOurs: Json[] = [];
  const left = [...theirs];
  for (const each of ours) {
    const index = left.findIndex((other) => isShared(each, other));
    if (index === -1) onlyOurs.push(each);
    else left.splice(index, 1);
  }
  return [onlyOurs, left];
}
