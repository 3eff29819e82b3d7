import { setTimeout as delay } from 'node:timers/promises';
import { createDice } from '../../../packages/testkit/dice.ts';
import { compare, type Difference } from './differences.ts';
import type { Findings } from './findings.ts';
import type { Json, JsonObject } from './json.ts';
import { createPairing, type Pairing } from './pairing.ts';
import { type Answer, type Both, bothOf, type Call, type Method } from './servers.ts';
import { createSlidingView, type SlidingView } from './sliding-view.ts';
import { createSyncView, type SyncView } from './sync-view.ts';

export type Membership = 'join' | 'invite' | 'knock' | 'leave' | 'ban';

export type Person = { readonly name: string; readonly localpart: string; readonly id: string };

/** How far a device is with one server. */
export type Progress = {
  since: string | undefined;
  view: SyncView;
  position: string | undefined;
  slidingView: SlidingView;
};

export type Device = {
  readonly person: Person;
  readonly id: string;
  readonly tokens: Both<string>;
  progress: Both<Progress>;
};

/** By the ID that Portico gave it, as everything. */
export type Room = {
  readonly id: string;
  readonly owner: Person;
  readonly alias: string | undefined;
  readonly isSpace: boolean;
  isEncrypted: boolean;
  /** Whether what says so was redacted. */
  isEncryptionRedacted: boolean;
  isUpgraded: boolean;
  /** Whether those who come do not see all that was there before, or did not once. */
  hidesHistory: boolean;
  readonly memberships: Map<Person, Membership>;
  /** Who is or was in it. */
  readonly everJoined: Set<string>;
  /** Who was invited or knocked, and was then not let in or did not come. */
  readonly turnedAway: Set<string>;
};

export type SentEvent = {
  readonly id: string;
  readonly type: string;
  readonly sender: Person;
  readonly room: Room;
  /** What it answers in a thread. */
  readonly root: SentEvent | undefined;
  /** Who was in the room then: others might not see it. */
  readonly readers: readonly Person[];
};

export type View = (body: JsonObject, side: keyof Both<unknown>) => JsonObject;

type Asked = {
  readonly query?: Readonly<Record<string, string>>;
  /** Each server's own part of the query, such as where its answer before ended. */
  readonly own?: Both<Readonly<Record<string, string>>>;
  /** Each server's own end of the path. */
  readonly last?: Both<string>;
  readonly body?: JsonObject;
  readonly unordered?: RegExp;
  /** What is compared of an answer. */
  readonly view?: View;
};

type AskParams = [device: Device | undefined, method: Method, path: readonly string[], asked?: Asked];

/** How often both are asked the same: some things follow on what was done a little later. In milliseconds, how long after one another. */
const patience = 3;
const wait = 150;

/** What is asked for with a body. */
const readingPosts: ReadonlySet<string> = new Set(['search', 'publicRooms', 'query']);

/** From here on the two servers are no longer in the same state. */
export class Diverged extends Error {}

/** Two servers on which the same people do the same. */
export interface World {
  readonly seed: number;
  readonly pairing: Pairing;
  readonly findings: Findings;
  readonly calls: Both<Call>;
  readonly people: Person[];
  readonly devices: Device[];
  readonly rooms: Room[];
  readonly events: SentEvent[];
  /** Whom people ignore. */
  readonly ignored: Map<Person, Person>;
  /** The IDs that Synapse gave to events that were redacted. */
  readonly redacted: Set<string>;
  /** Which step this is, for who reads what was found. */
  step: string;
  roll(limit: number): number;
  pick<T>(list: readonly T[]): T;
  chance(percent: number): boolean;
  /** A number that was not there before. */
  next(): number;
  /** Puts a request with Portico's IDs to both, and compares their answers. Gives that of Portico if both did it. */
  ask(...request: AskParams): Promise<JsonObject | undefined>;
  /** The same, with both answers. */
  askBoth(...request: AskParams): Promise<Both<JsonObject> | undefined>;
  addDevice(person: Person, id: string, tokens: Both<string>): void;
}

export function createWorld(options: {
  readonly seed: number;
  readonly calls: Both<Call>;
  readonly findings: Findings;
  /** Where to tell everything that is done. */
  readonly print?: ((line: string) => void) | undefined;
}): World {
  const { seed, calls, findings, print } = options;
  const roll = createDice(seed * 7919);
  // The first numbers of seeds that are close together are close together.
  for (let count = 0; count < 10; count += 1) roll(2);
  const pairing = createPairing();
  const devices: Device[] = [];
  let numbers = 0;

  const world: World = {
    seed,
    pairing,
    findings,
    calls,
    people: [],
    devices,
    rooms: [],
    events: [],
    ignored: new Map(),
    redacted: new Set(),
    step: '',
    roll,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error('There is nothing to choose from.');
      return list[roll(list.length)] as T;
    },
    chance: (percent) => roll(100) < percent,
    next: () => (numbers += 1),
    ask: async (...request) => (await world.askBoth(...request))?.portico,
    async askBoth(device, method, path, asked = {}) {
      const what = whatOf(device, method, path);
      const turns = method === 'GET' || readingPosts.has(path.at(-1) ?? '') ? patience : 1;
      for (let turn = 1; turn < turns; turn += 1) {
        const forget = pairing.mark();
        const answers = await bothOf((side) => calls[side](requestFor(side, device, method, path, asked)));
        const isNews = findings.newOf(what, differencesOf(answers, asked)).length > 0;
        forget();
        if (!isNews) break;
        await delay(wait);
      }
      const answers = await bothOf((side) => calls[side](requestFor(side, device, method, path, asked)));
      const { portico, synapse } = answers;
      // With the IDs by which differences name what they are about.
      const named = pairing.translate({ path, body: asked.body ?? null });
      const title = `${nameOf(device)} ${method} ${detailsOf(named, asked.query)}`;
      const differences = differencesOf(answers, asked);
      print?.(`${world.step}: ${title}: ${portico.status}, ${synapse.status}`);
      findings.tell(`seed ${seed}, step ${world.step}: ${title}`, what, differences);
      const succeeded = [portico, synapse].filter(({ status }) => status < 300).length;
      if (succeeded === 1 && turns === 1) throw new Diverged(title);
      return succeeded === 2 ? { portico: portico.body, synapse: synapse.body } : undefined;
    },
    addDevice(person, id, tokens) {
      devices.push({ person, id, tokens, progress: { portico: begin(), synapse: begin() } });
    },
  };
  return world;

  function differencesOf({ portico, synapse }: Both<Answer>, { unordered, view }: Asked): readonly Difference[] {
    const [ours, theirs] = [contentOf(portico, 'portico', view), contentOf(synapse, 'synapse', view)];
    const isSame = portico.status === synapse.status && portico.body['errcode'] === synapse.body['errcode'];
    const didBoth = portico.status < 300 && synapse.status < 300;
    if (!didBoth && !isSame) return [{ where: '', portico: ours, synapse: theirs }];
    return compare(ours, theirs, { pairing, redacted: world.redacted, ...(unordered && { unordered }) });
  }

  /** What was asked, without what is different each time. */
  function whatOf(device: Device | undefined, method: Method, path: readonly string[]): string {
    const room = world.rooms.find(({ id }) => path.includes(id));
    const isStrange = device !== undefined && room !== undefined && !room.everJoined.has(device.person.id);
    const isHidden = room?.hidesHistory === true;
    return `${method} ${shapeOf(path)}${isStrange ? strangeRoom : isHidden ? hiddenHistory : ''}`;
  }

  function requestFor(
    side: keyof Both<Call>,
    device: Device | undefined,
    method: Method,
    path: readonly string[],
    asked: Asked,
  ) {
    const isTheirs = side === 'synapse';
    const whole = asked.last === undefined ? path : [...path, asked.last[side]];
    const segments = whole.map((segment) => encodeURIComponent(isTheirs ? pairing.toSynapse(segment) : segment));
    const query = new URLSearchParams({ ...asked.query, ...asked.own?.[side] }).toString();
    return {
      method,
      path: `/_matrix/client/${segments.join('/')}${query === '' ? '' : `?${query}`}`,
      token: device?.tokens[side],
      body: asked.body && isTheirs ? (pairing.translate(asked.body) as JsonObject) : asked.body,
    };
  }
}

export function begin(): Progress {
  return { since: undefined, view: createSyncView(), position: undefined, slidingView: createSlidingView() };
}

/** Of a refusal what programs read. */
function contentOf({ status, body }: Answer, side: keyof Both<Answer>, view: View = (whole) => whole): JsonObject {
  return status < 300 ? { status, body: view(body, side) } : { status, errcode: body['errcode'] ?? '' };
}

const nameOf = (device: Device | undefined): string =>
  device === undefined ? 'nobody' : `${device.person.name}/${device.id}`;

function detailsOf(named: Json, query: Asked['query']): string {
  const { path, body } = named as { readonly path: readonly string[]; readonly body: Json };
  const parameters = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
  return `${path.join('/')}${parameters}${body === null ? '' : ` ${JSON.stringify(body)}`}`;
}

/** Said of a room that the person was never in. */
const strangeRoom = ', of a strange room';

/** Said of one where those who come do not see all that was there before. */
const hiddenHistory = ', of a room with hidden history';

/** A path without what is different each time. */
function shapeOf(path: readonly string[]): string {
  return path.map((segment) => segment.replace(/^([$!@#]).*/, '$1')).join('/');
}
