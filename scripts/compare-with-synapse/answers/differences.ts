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
  'filter_id',
  'from',
  'last_active_ago',
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
  /** Which of Synapse's events were redacted: it goes on to give what these said as what others have replaced. */
  readonly redacted?: ReadonlySet<string>;
};

/** Where two answers differ. IDs that were not known are paired on the way. */
export function compare(portico: Json, synapse: Json, { pairing, unordered, redacted }: Options): Difference[] {
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
    if (where.endsWith('.actions')) {
      const [does, did] = [plainActions(ours), plainActions(theirs)];
      if (JSON.stringify(does) !== JSON.stringify(did)) note(where, does, did);
      return;
    }
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
    const { onlyOurs, onlyTheirs, shared } = matched(left, right, isShared);
    note(where, onlyOurs, onlyTheirs);
    for (const [index, each, other] of shared) {
      // Of several new events that are alike nobody knows which is which, and what is paired wrongly stays so.
      const isOne = textAt(each, 'event_id') === textAt(other, 'event_id');
      if (isOne) compareValues(`${where}[${index}]`, each, other);
    }
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
      const mine = left[key];
      const yours = key === 'prev_content' && hasReplacedRedacted(theirs) ? onlyKeysOf(mine, theirs[key]) : theirs[key];
      if (mine === undefined || yours === undefined) note(`${where}.${key}`, mine, yours);
      else if (!ownValues.has(key)) compareValues(`${where}.${key}`, mine, yours);
    }
  }

  /** Whether two members of lists of different length are likely to be one. */
  function isShared(ours: Json, theirs: Json): boolean {
    if (!isObject(ours) || !isObject(theirs)) return ours === theirs;
    const [id, theirId] = [textAt(ours, 'event_id'), textAt(theirs, 'event_id')];
    if (id === undefined || theirId === undefined) return keyOf(ours) === keyOf(theirs);
    if (id === theirId) return true;
    const areNew = !pairing.isTaken(id) && !pairing.isTaken(theirId);
    return areNew && outlines.every((key) => isAlike(ours[key], theirs[key]));
  }

  function hasReplacedRedacted(unsigned: JsonObject): boolean {
    return redacted?.has(textAt(unsigned, 'replaces_state') ?? '') === true;
  }

  function isNew(key: string): boolean {
    return isMadeUp(key) && !pairing.isTaken(key);
  }

  function isAlike(ours: Json | undefined, theirs: Json | undefined): boolean {
    if (typeof ours !== 'string' || typeof theirs !== 'string') return true;
    return ours === theirs || (isMadeUp(ours) && isMadeUp(theirs));
  }
}

/** One object with no other keys than another one has. */
function onlyKeysOf(one: Json | undefined, other: Json | undefined): Json | undefined {
  if (!isObject(one) || !isObject(other)) return other;
  return Object.fromEntries(Object.entries(other).filter(([key]) => key in one));
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

/** What a rule does, in one order: to say that something is not highlighted says nothing. */
function plainActions(actions: readonly Json[]): readonly Json[] {
  return inOrderOfText(actions.filter((action) => JSON.stringify(action) !== JSON.stringify(noHighlight)));
}

/** A rule without what says nothing: the order of its conditions and actions, and that it does not highlight. */
function plain(rule: JsonObject): JsonObject {
  const { actions, conditions } = rule;
  return {
    ...rule,
    ...(isList(actions) && { actions: plainActions(actions) }),
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
  // What a search finds is within what it says of that.
  const about = isObject(each) && isObject(each['result']) ? each['result'] : each;
  return JSON.stringify(isObject(about) ? distinctive.map((key) => about[key] ?? '') : about);
}

function inOrder(list: readonly Json[]): readonly Json[] {
  return list.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

type Matched = {
  readonly onlyOurs: readonly Json[];
  readonly onlyTheirs: readonly Json[];
  /** What both have, with its place in the first. */
  readonly shared: readonly (readonly [index: number, ours: Json, theirs: Json])[];
};

function matched(
  ours: readonly Json[],
  theirs: readonly Json[],
  isShared: (ours: Json, theirs: Json) => boolean,
): Matched {
  const onlyOurs: Json[] = [];
  const onlyTheirs = [...theirs];
  const shared: [number, Json, Json][] = [];
  for (const [place, each] of ours.entries()) {
    const index = onlyTheirs.findIndex((other) => isShared(each, other));
    const [other] = index === -1 ? [] : onlyTheirs.splice(index, 1);
    if (other === undefined) onlyOurs.push(each);
    else shared.push([place, each, other]);
  }
  return { onlyOurs, onlyTheirs, shared };
}
