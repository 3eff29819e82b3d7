import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RoomEvent, StateEntry } from '@portico/protocol';

export type SynapseEvent = Readonly<Record<string, unknown>>;

export type Question = {
  readonly version: string;
  readonly roomId: string;
  readonly events: readonly SynapseEvent[];
  readonly auth?: readonly {
    readonly event: SynapseEvent;
    readonly state?: readonly string[];
    readonly stateEvents?: readonly SynapseEvent[];
  }[];
  readonly authEvents?: readonly {
    readonly event: SynapseEvent;
    readonly authEvents: readonly SynapseEvent[];
    readonly create: SynapseEvent | null;
  }[];
  readonly resolve?: readonly (readonly (readonly StateEntry[])[])[];
};

export type Outcome = { readonly allowed: boolean; readonly error?: string; readonly crash?: string };

export type Answer = {
  readonly auth: readonly Outcome[];
  readonly authEvents: readonly Outcome[];
  readonly resolved: readonly (readonly StateEntry[] | { readonly crash: string })[];
};

const python = process.env['PORTICO_SYNAPSE_PYTHON'] ?? 'python3';

/** What is missing, or `undefined` if Synapse can be asked. */
export function whySynapseIsMissing(): string | undefined {
  const probe = spawnSync(python, ['-c', 'import synapse; print(synapse.__version__)'], { encoding: 'utf8' });
  if (probe.status === 0) return undefined;
  return `${python} has no Synapse: install the package matrix-synapse, or name a python that has it in PORTICO_SYNAPSE_PYTHON`;
}

export function synapseVersion(): string {
  return spawnSync(python, ['-c', 'import synapse; print(synapse.__version__)'], { encoding: 'utf8' }).stdout.trim();
}

/** Asks all questions of one process, and gives the answers in the same order. */
export async function askSynapse(questions: readonly Question[]): Promise<readonly Answer[]> {
  const child = spawn(python, [join(import.meta.dirname, 'synapse_side.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(''));
  const answers: Answer[] = [];
  for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line) as Answer);
  if (answers.length !== questions.length) throw new Error('Synapse answered some questions only');
  return answers;
}

export function synapseEvent(event: RoomEvent, hasRoomId = true): SynapseEvent {
  return {
    event_id: event.eventId,
    room_id: event.roomId,
    type: event.type,
    sender: event.sender,
    ...(event.stateKey === undefined ? {} : { state_key: event.stateKey }),
    content: event.content,
    depth: event.depth,
    origin_server_ts: event.originServerTs,
    prev_events: event.prevEvents,
    auth_events: event.authEvents,
    ...(event.redacts === undefined ? {} : { redacts: event.redacts }),
    rejected: event.rejected,
    present: hasRoomId ? ['room_id'] : [],
  };
}
