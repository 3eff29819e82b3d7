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
import { askSynapse, synapseEvent, synapseVersion, whySynapseIsMissing, type Question } from './synapse-process.ts';

type Compared = { readonly question: Question; readonly expected: Expected };
type Expected = {
  readonly auth: readonly { readonly name: string; readonly allowed: boolean }[];
  readonly authEvents: readonly { readonly name: string; readonly allowed: boolean }[];
  readonly resolved: readonly { readonly name: string; readonly state: readonly StateEntry[] }[];
};

function sorted(state: StateMap): readonly StateEntry[] {
  return [...entriesOf(state)].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
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
    const expected = [{ name, allowed: vector.allowed }];
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

async function main(): Promise<void> {
  const missing = whySynapseIsMissing();
  if (missing !== undefined) {
    console.log(`Skipped: ${missing}`);
    return;
  }
  const rooms = Number(process.argv[2] ?? 100);
  const seed = Number(process.argv[3] ?? 1);
  console.log(`Synapse ${synapseVersion()}, ${rooms} random rooms a version, seed ${seed}`);
  const compared = readAuthCases().flatMap(vectorQuestions);
  for (const rules of roomVersions) {
    const plans = fc.sample(steps(60), { numRuns: rooms, seed });
    for (const [index, plan] of plans.entries()) {
      compared.push(roomQuestion(rules, plan, `version ${rules.version}, room ${index}`));
    }
  }
  const answers = await askSynapse(compared.map(({ question }) => question));
  let decisions = 0;
  let resolutions = 0;
  let differences = 0;
  for (const [index, { expected }] of compared.entries()) {
    const answer = answers[index];
    for (const kind of ['auth', 'authEvents'] as const) {
      for (const [number, { name, allowed }] of expected[kind].entries()) {
        const outcome = answer?.[kind][number];
        decisions += 1;
        if (outcome?.allowed === allowed) continue;
        differences += 1;
        console.log(`${name}\n    Portico ${allowed ? 'allows' : 'refuses'}; Synapse: ${JSON.stringify(outcome)}`);
      }
    }
    for (const [number, { name, state }] of expected.resolved.entries()) {
      const resolved = answer?.resolved[number];
      resolutions += 1;
      const theirs = Array.isArray(resolved)
        ? resolved.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
        : resolved;
      if (JSON.stringify(theirs) === JSON.stringify(state)) continue;
      differences += 1;
      console.log(`${name}\n    Portico ${JSON.stringify(state)}\n    Synapse ${JSON.stringify(theirs)}`);
    }
  }
  console.log(`${decisions} decisions and ${resolutions} resolutions compared, ${differences} differences`);
}

await main();
