/** Something that is to happen after a while, and once however often that is asked for. */
export interface Alarm {
  /** In so many milliseconds, unless it is to ring already. */
  set(milliseconds: number): void;
  /** In so many milliseconds from now, whenever it was to ring before. */
  reset(milliseconds: number): void;
  clear(): void;
  readonly isSet: boolean;
}

/** Keeps no process alive. When it rings it is no longer set. */
export function createAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;

  function set(milliseconds: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      ring();
    }, milliseconds).unref();
  }

  function clear(): void {
    clearTimeout(timer);
    timer = undefined;
  }

  return {
    set,
    clear,
    reset(milliseconds) {
      clear();
      set(milliseconds);
    },
    get isSet() {
      return timer !== undefined;
    },
  };
}
