/*
 * Puts the same rooms to Portico and to Synapse and prints where they differ: the authorisation vectors, and random rooms, of which every
 * attempt to send an event and every merge of a fork is compared.
 *
 *     PORTICO_SYNAPSE_PYTHON=/path/to/python node scripts/compare-with-synapse/compare.ts [rooms per version] [seed]
 */
import {
  authorise,
  entriesOf,
  findRoomVersion,
  getEntry,
  resolveStates,
  roomVersions,
  splitConflicted,
  type RoomEvent,
  type RoomVersionRules,
  type StateEntry,
  type StateMap,
} from '@portico/protocol';
import { buildRoom, steps } from '@portico/testkit/random-room.ts';
import * as fc from 'fast-check';
import { readAuthCases, toEvent, type AuthCase, type VectorEvent } from '../../vectors/auth-cases.ts';
import { readStateCases, type StateCase } from '../../vectors/state-cases.ts';
import { knownDifferences } from './known-differences.ts';
import { askSynapse, synapseEvent, synapseVersion, whySynapseIsMissing } from './synapse-process.ts';
import type { Answer, Question } from './synapse-process.ts';

type Compared = { readonly question: Question; readonly expected: Expected };
type ExpectedDecision = { readonly name: string; readonly key: string; readonly allowed: boolean };
type Expected = {
  readonly auth: readonly ExpectedDecision[];
  readonly authEvents: readonly ExpectedDecision[];
  readonly resolved: readonly { readonly name: string; readonly state: readonly StateEntry[] }[];
};

function sortEntries(entries: readonly StateEntry[]): readonly StateEntry[] {
  return entries.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function sorted(state: StateMap): readonly StateEntry[] {
  return sortEntries([...entriesOf(state)]);
}

/** Whether the event, as sent, names its room: the create event of a room since version 12 does if its room ID is not its own. */
function namesRoom(rules: RoomVersionRules, event: RoomEvent): boolean {
  return (
    rules.event.roomId !== 'create-event' ||
    event.type !== 'm.room.create' ||
    event.roomId !== `!${event.eventId.slice(1)}`
  );
}

function vectorQuestions(vector: AuthCase): readonly Compared[] {
  // Signatures of servers are checked elsewhere in Synapse.
  if (vector.signedBy !== undefined) return [];
  return vector.roomVersions.map((version): Compared => {
    const rules = findRoomVersion(version) as RoomVersionRules;
    const convert = (entry: VectorEvent): ReturnType<typeof synapseEvent> => {
      const event = toEvent(rules, entry);
      return synapseEvent(event, namesRoom(rules, event));
    };
    const event = convert(vector.event);
    const base = { version, roomId: toEvent(rules, vector.event).roomId, events: [] };
    const name = `${vector.file}, version ${version}: ${vector.name}`;
    const expected = [{ name, key: `${vector.file}: ${vector.name}`, allowed: vector.allowed }];
    if (vector.authEvents !== undefined) {
      const create = rules.event.createInAuthEvents ? null : convert(createEvent);
      return {
        question: { ...base, authEvents: [{ event, authEvents: vector.authEvents.map(convert), create }] },
        expected: { auth: [], authEvents: expected, resolved: [] },
      };
    }
    return {
      question: { ...base, auth: [{ event, stateEvents: vector.state.map(convert) }] },
      expected: { auth: expected, authEvents: [], resolved: [] },
    };
  });
}

function stateVectorQuestion({ name, rules, events, states }: StateCase): Compared {
  const [create] = events.values();
  const state = sorted(resolveStates(rules, states, (eventId) => events.get(eventId)));
  return {
    question: {
      version: rules.version,
      roomId: create?.roomId ?? '',
      events: [...events.values()].map((event) => synapseEvent(event, namesRoom(rules, event))),
      resolve: [states.map(sorted)],
    },
    expected: { auth: [], authEvents: [], resolved: [{ name: `state resolution: ${name}`, state }] },
  };
}

const createEvent: VectorEvent = {
  event_id: '$create:a.example',
  type: 'm.room.create',
  sender: '@alice:a.example',
  state_key: '',
  content: {},
};

function roomQuestion(rules: RoomVersionRules, plan: Parameters<typeof buildRoom>[1], name: string): Compared {
  const merges: (readonly StateMap[])[] = [];
  const room = buildRoom(rules, plan, (roomRules, states, event) => {
    if (splitConflicted(states).conflicts.length > 0) merges.push(states);
    return resolveStates(roomRules, states, event);
  });
  const find = (eventId: string): RoomEvent | undefined => room.events.get(eventId);
  const [create] = room.events.values();
  const auth = [...room.attempts].map(({ event, before }) => ({
    event,
    state: [...entriesOf(before)].map((e) => e[2]),
  }));
  return {
    question: {
      version: rules.version,
      roomId: create?.roomId ?? '',
      events: [...room.events.values()].map((event) => synapseEvent(event, namesRoom(rules, event))),
      auth: auth.map(({ event, state }) => ({ event: synapseEvent(event, namesRoom(rules, event)), state })),
      resolve: merges.map((states) => states.map(sorted)),
    },
    expected: {
      auth: room.attempts.map(({ event, before }, index) => ({
        key: name,
        name: `${name}, attempt ${index}: ${event.type} ${JSON.stringify(event.content)} by ${event.sender}`,
        allowed:
          authorise(rules, event, { create, get: (type, key) => find(getEntry(before, type, key) ?? '') }).kind ===
          'allow',
      })),
      authEvents: [],
      resolved: merges.map((states, index) => ({
        name: `${name}, resolution ${index}`,
        state: sorted(resolveStates(rules, states, find)),
      })),
    },
  };
}

type Differences = { known: number; unknown: number };

function report(differences: Differences, key: string, text: string): void {
  const why = knownDifferences[key];
  if (why === undefined) differences.unknown += 1;
  else differences.known += 1;
  console.log(`${text}\n    ${why === undefined ? 'UNEXPLAINED' : `Known: ${why}`}`);
}

function compareAnswer(expected: Expected, answer: Answer | undefined, differences: Differences): void {
  for (const kind of ['auth', 'authEvents'] as const) {
    for (const [index, { name, key, allowed }] of expected[kind].entries()) {
      const outcome = answer?.[kind][index];
      if (outcome?.allowed === allowed) continue;
      const synapse = outcome?.error ?? outcome?.crash ?? 'allows';
      report(differences, key, `${name}\n    Portico ${allowed ? 'allows' : 'refuses'}; Synapse: ${synapse}`);
    }
  }
  for (const [index, { name, state }] of expected.resolved.entries()) {
    const resolved = answer?.resolved[index];
    const theirs = JSON.stringify(Array.isArray(resolved) ? sortEntries(resolved) : resolved);
    const ours = JSON.stringify(state);
    if (theirs !== ours) report(differences, name, `${name}\n    Portico ${ours}\n    Synapse ${theirs}`);
  }
}

async function main(): Promise<void> {
  const missing = whySynapseIsMissing();
  if (missing !== undefined) {
    console.log(`Skipped: ${missing}`);
    return;
  }
  const rooms = Number(process.argv[2] ?? 100);
  const seed = Number(process.argv[3] ?? 1);
  console.log(`Synapse ${synapseVersion()}, ${rooms} random rooms a version, seed ${seed}`);
  const compared = [...readAuthCases().flatMap(vectorQuestions), ...readStateCases().map(stateVectorQuestion)];
  for (const rules of roomVersions) {
    const plans = fc.sample(steps(60), { numRuns: rooms, seed });
    for (const [index, plan] of plans.entries()) {
      compared.push(roomQuestion(rules, plan, `version ${rules.version}, room ${index}`));
    }
  }
  const answers = await askSynapse(compared.map(({ question }) => question));
  const differences: Differences = { known: 0, unknown: 0 };
  for (const [index, { expected }] of compared.entries()) compareAnswer(expected, answers[index], differences);
  const decisions = compared.flatMap(({ expected }) => [...expected.auth, ...expected.authEvents]).length;
  const resolutions = compared.flatMap(({ expected }) => expected.resolved).length;
  console.log(`${decisions} decisions and ${resolutions} resolutions compared.`);
  console.log(`${differences.known} differences are known, ${differences.unknown} are not.`);
  if (differences.unknown > 0) process.exitCode = 1;
}

await main();
