import type { After } from '../sync/waiting.ts';
import { maxShown } from './shown-memory.ts';

/** Somebody of this server who syncs, and what they have been shown. */
export type Viewer = {
  readonly userId: string;
  /** Of whom there is news, with its serial. The newest comes last. */
  readonly news: Map<string, number>;
  newest: number;
  /** Tokens of an earlier serial are not told everything by `news`. */
  knownSince: number;
  /** Everyone they were ever shown as anything but offline, with the look of what they see now; '' for offline. */
  readonly shown: Map<string, string>;
  lastRead: number;
  lastWoken: number;
  /** When news that has come in is to wake them; Infinity once they were woken. */
  wakeAt: number;
};

export interface Viewers {
  /** Grows with every piece of news, of anybody. */
  serial(): number;
  /** Those who are awake: they synced lately. */
  get(userId: string): Viewer | undefined;
  /** Wakes up somebody who syncs; `wasAsleep` if news was not kept for them. */
  open(userId: string): { readonly viewer: Viewer; readonly wasAsleep: boolean };
  /** Has the viewer look anew at somebody who has another look now, and soon wakes them. */
  tell(viewer: Viewer, userId: string, look: string): void;
  /** Has the viewer look at somebody who has come into one of their rooms, when they next sync. */
  introduce(viewer: Viewer, userId: string): void;
  /** An answer to one of their devices shows somebody so; the others are to see it, too. */
  showed(viewer: Viewer, userId: string, look: string): void;
  /** They were shown somebody before this process knew of it. */
  remember(viewer: Viewer, userId: string): void;
  /** Those awake who are to see somebody as anything but offline. */
  audienceOf(userId: string): ReadonlySet<string>;
  hasNews(userId: string, since: number): boolean;
  /** Whether news is to be told at once, and not together with what comes in the next moment. */
  isDue(userId: string, since: number): boolean;
  all(): Iterable<Viewer>;
  close(): void;
}

type Options = {
  readonly now: () => number;
  readonly after: After;
  readonly wake: (userId: string) => void;
  /** Whether they are being woken, so that what comes now goes along. */
  readonly isWaking: (userId: string) => boolean;
  readonly onAsleep: (viewer: Viewer) => void;
  /** They are to be shown somebody for the first time. */
  readonly onGrown: (viewer: string, person: string) => void;
  /** It is not kept in mind any more that they were shown somebody. */
  readonly onShrunk: (viewer: string, person: string) => void;
};

/** "The first change at once, later ones merged": between two times that somebody is woken for presence. */
const pause = 1000;
const asleepAfter = 5 * 60_000;
const maxViewers = 20_000;
/** News that one viewer may have waiting. */
const maxNews = 5000;
const nobody: ReadonlySet<string> = new Set();

export function createViewers({ now, after, wake, isWaking, onAsleep, onGrown, onShrunk }: Options): Viewers {
  /** Who has read last comes last. */
  const awake = new Map<string, Viewer>();
  const audiences = new Map<string, Set<string>>();
  const waiting = new Set<Viewer>();
  // 0 is what is made of a token that another process gave.
  let serial = 1;
  let stopTimer: (() => void) | undefined;

  function setShown(whole: Viewer, userId: string, look: string): void {
    const { shown, userId: viewer } = whole;
    const isFirst = look !== '' && !shown.has(userId);
    if (look !== '' || shown.has(userId)) shown.set(userId, look);
    if (isFirst) onGrown(viewer, userId);
    if (shown.size > maxShown) {
      for (const [oldest, itsLook] of shown) {
        if (itsLook === '' && shown.delete(oldest)) onShrunk(viewer, oldest);
        if (shown.size <= maxShown) break;
      }
    }
    const audience = audiences.get(userId);
    if (look !== '') {
      if (audience === undefined) audiences.set(userId, new Set([viewer]));
      else audience.add(viewer);
    } else if (audience?.delete(viewer) === true && audience.size === 0) audiences.delete(userId);
  }

  function note(viewer: Viewer, userId: string): void {
    viewer.news.delete(userId);
    viewer.newest = ++serial;
    viewer.news.set(userId, serial);
    if (viewer.news.size > maxNews) {
      viewer.news.clear();
      viewer.knownSince = serial;
    }
  }

  /** Whether that is news. */
  function addNews(viewer: Viewer, userId: string, look: string): boolean {
    if ((viewer.shown.get(userId) ?? '') === look) return false;
    note(viewer, userId);
    setShown(viewer, userId, look);
    return true;
  }

  function putToSleep(viewer: Viewer): void {
    awake.delete(viewer.userId);
    waiting.delete(viewer);
    for (const userId of viewer.shown.keys()) {
      const audience = audiences.get(userId);
      if (audience?.delete(viewer.userId) === true && audience.size === 0) audiences.delete(userId);
    }
    onAsleep(viewer);
  }

  function sweep(at: number): void {
    for (const viewer of awake.values()) {
      if (awake.size <= maxViewers && at - viewer.lastRead <= asleepAfter) return;
      putToSleep(viewer);
    }
  }

  function wakeThose(): void {
    stopTimer = undefined;
    const at = now();
    let next = Infinity;
    for (const viewer of waiting) {
      if (viewer.wakeAt > at) next = Math.min(next, viewer.wakeAt);
      else wakeNow(viewer, at);
    }
    if (next !== Infinity) stopTimer = after(next - at, wakeThose);
  }

  function wakeNow(viewer: Viewer, at: number): void {
    waiting.delete(viewer);
    viewer.wakeAt = Infinity;
    viewer.lastWoken = at;
    wake(viewer.userId);
  }

  function hasNews(userId: string, since: number): boolean {
    const viewer = awake.get(userId);
    return viewer === undefined || since < viewer.knownSince || viewer.newest > since;
  }

  return {
    serial: () => serial,
    get: (userId) => awake.get(userId),
    open(userId) {
      const at = now();
      let viewer = awake.get(userId);
      const wasAsleep = viewer === undefined;
      viewer ??= {
        userId,
        news: new Map(),
        newest: 0,
        // Nothing was kept for them: no token from before says what they have been told.
        knownSince: ++serial,
        shown: new Map(),
        lastRead: at,
        lastWoken: 0,
        wakeAt: Infinity,
      };
      awake.delete(userId);
      awake.set(userId, viewer);
      viewer.lastRead = at;
      sweep(at);
      return { viewer, wasAsleep };
    },
    tell(viewer, userId, look) {
      if (!addNews(viewer, userId, look) || viewer.wakeAt !== Infinity || isWaking(viewer.userId)) return;
      const at = now();
      viewer.wakeAt = viewer.lastWoken + pause;
      if (viewer.wakeAt <= at) wakeNow(viewer, at);
      else {
        waiting.add(viewer);
        stopTimer ??= after(viewer.wakeAt - at, wakeThose);
      }
    },
    introduce(viewer, userId) {
      // Whoever is not shown as anything but offline is told of, if need be, by another way.
      if ((viewer.shown.get(userId) ?? '') !== '') note(viewer, userId);
    },
    showed(viewer, userId, look) {
      if (addNews(viewer, userId, look)) wake(viewer.userId);
    },
    remember: (viewer, userId) => viewer.shown.set(userId, ''),
    audienceOf: (userId) => audiences.get(userId) ?? nobody,
    hasNews,
    isDue: (userId, since) => hasNews(userId, since) && (awake.get(userId)?.wakeAt ?? Infinity) === Infinity,
    all: () => awake.values(),
    close() {
      stopTimer?.();
    },
  };
}
