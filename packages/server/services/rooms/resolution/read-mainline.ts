import { type MainlinePositions, powerLevelsOf, type RoomEvent } from '@portico/protocol';
import type { Reader } from '@portico/storage';
import { mainlinePositions, storedPowerLevels } from '@portico/storage/stores/events/power-levels-links.ts';

/** The events that a resolution has loaded, those about to enter the room included. */
export type LoadedEvents = {
  readonly find: (eventId: string) => RoomEvent | undefined;
  readonly nidOf: (eventId: string) => number;
};

/** Where power levels stand in the mainline of others. All of them are loaded. */
export async function readMainline(
  reader: Reader,
  loaded: LoadedEvents,
  powerLevels: string,
  bases: readonly string[],
): Promise<MainlinePositions> {
  const rows = await mainlinePositions(reader, loaded.nidOf(powerLevels), bases.map(loaded.nidOf));
  if (rows.length < bases.length) return readFromWithin(reader, loaded, powerLevels, bases);
  const found = new Map(rows.map((row) => [row.base_nid, row.position]));
  return new Map(
    bases.flatMap((base) => {
      const position = found.get(loaded.nidOf(base)) ?? null;
      return position === null ? [] : [[base, position] as const];
    }),
  );
}

/**
 * An event that is about to enter the room takes part in its resolution before it is stored: the ways are walked in memory as
 * far as they are not.
 */
async function readFromWithin(
  reader: Reader,
  loaded: LoadedEvents,
  powerLevels: string,
  bases: readonly string[],
): Promise<MainlinePositions> {
  const mainline = wayFrom(loaded, powerLevels);
  const ways = bases.map((base) => ({ base, way: wayFrom(loaded, base) }));
  const passed = new Set([mainline, ...ways.map(({ way }) => way)].flat());
  const stored = await storedPowerLevels(reader, [...passed].map(loaded.nidOf));
  const isStored = (eventId: string): boolean => stored.has(loaded.nidOf(eventId));
  const tip = mainline.find(isStored);
  const within = tip === undefined ? mainline : mainline.slice(0, mainline.indexOf(tip));
  const met = ways.map(({ base, way }) => ({ base, at: way.find((id) => within.includes(id) || isStored(id)) }));
  const further = [...new Set(met.flatMap(({ at }) => (at === undefined || within.includes(at) ? [] : [at])))];
  const behind =
    tip === undefined || further.length === 0
      ? new Map<string, number>()
      : await readMainline(reader, loaded, tip, further);
  return new Map(
    met.flatMap(({ base, at = '' }) => {
      const back = behind.get(at);
      const position = back === undefined ? within.indexOf(at) : within.length + back;
      return position === -1 ? [] : [[base, position] as const];
    }),
  );
}

/** Power levels and those that they are based on, as far as these are loaded. */
function wayFrom({ find }: LoadedEvents, start: string): readonly string[] {
  const way = new Set<string>();
  for (let at: string | undefined = start; at !== undefined && !way.has(at); at = powerLevelsOf(at, find)) way.add(at);
  return [...way];
}
