/** Somebody who waits for a turn. */
export type Waiter = {
  readonly line: Line;
  readonly isWanted: () => boolean;
  /** Begins the turn. */
  readonly start: () => void;
  /** Says that there will be none. */
  readonly drop: () => void;
};

/** What only so many turns may have at once: a server; or all doubtful servers together. */
export type Place = {
  readonly most: number;
  used: number;
  /** Lines that wait for it, by owner: who is first has the next one. */
  readonly lines: Map<Owner, Set<Line>>;
};

export type Server = Place & {
  readonly name: string;
  /** Lines for this server that wait for a place of doubtful ones. */
  readonly doubted: Set<Line>;
  /** How many lines there are for it. */
  wanted: number;
};

/** Those of one owner who wait for one server, in their order. */
export type Line = {
  readonly owner: Owner;
  readonly server: Server;
  readonly waiters: Set<Waiter>;
  waitsFor: Place | undefined;
};

export type Owner = {
  readonly name: string;
  used: number;
  /** Since which moment it waits for its next turn: when it came, or had the last one. */
  since: number;
  isQueued: boolean;
  readonly lines: Map<Server, Line>;
  /** Lines that may have a turn, as far as is known: first those for which a place has become free. */
  readonly called: Set<Line>;
  readonly ready: Set<Line>;
  /** Places that became free while this owner was the next one to have them. */
  readonly offered: Set<Place>;
  readonly waiters: Set<Waiter>;
};

export function createPlace(most: number): Place {
  return { most, used: 0, lines: new Map() };
}

export function createServer(name: string, most: number): Server {
  return { ...createPlace(most), name, doubted: new Set(), wanted: 0 };
}

export function createOwner(name: string): Owner {
  const [called, ready] = [new Set<Line>(), new Set<Line>()];
  const waits = { since: 0, isQueued: false, offered: new Set<Place>(), waiters: new Set<Waiter>() };
  return { name, used: 0, lines: new Map(), called, ready, ...waits };
}

export const isFull = ({ used, most }: Place): boolean => used >= most;

/** Puts a line, that may have had a turn, where it waits for a place. */
export function park(line: Line, place: Place): void {
  const { owner, server } = line;
  line.waitsFor = place;
  owner.called.delete(line);
  owner.ready.delete(line);
  place.lines.set(owner, (place.lines.get(owner) ?? new Set()).add(line));
  if (place !== server) server.doubted.add(line);
}

/** A line waits for no place any more. */
export function unpark(line: Line): void {
  const place = line.waitsFor;
  if (place === undefined) return;
  line.waitsFor = undefined;
  line.server.doubted.delete(line);
  const own = place.lines.get(line.owner);
  own?.delete(line);
  if (own?.size === 0) place.lines.delete(line.owner);
}

/** The next line that waits for a place, which is called. Its owner is then the last in it. */
export function callNext(place: Place): Line | undefined {
  for (const [owner, own] of place.lines) {
    for (const line of own) {
      unpark(line);
      owner.called.add(line);
      if (own.size > 0) {
        place.lines.delete(owner);
        place.lines.set(owner, own);
      }
      return line;
    }
  }
  return undefined;
}

export function lineOf(owner: Owner, server: Server): Line {
  const known = owner.lines.get(server);
  if (known !== undefined) return known;
  const line: Line = { owner, server, waiters: new Set(), waitsFor: undefined };
  owner.lines.set(server, line);
  owner.ready.add(line);
  server.wanted++;
  return line;
}

export function enqueue(waiter: Waiter): void {
  const { owner, waiters } = waiter.line;
  waiters.add(waiter);
  owner.waiters.add(waiter);
}

export function dequeue(waiter: Waiter): void {
  const { line } = waiter;
  const { owner, server, waiters } = line;
  waiters.delete(waiter);
  owner.waiters.delete(waiter);
  if (waiters.size > 0) return;
  unpark(line);
  owner.called.delete(line);
  owner.ready.delete(line);
  owner.lines.delete(server);
  server.wanted--;
}
