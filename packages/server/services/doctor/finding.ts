export type Finding = {
  readonly level: 'ok' | 'warn' | 'fail';
  /** What was looked at, in a word or two. */
  readonly about: string;
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
};

export function ok(about: string, text: string): Finding {
  return { level: 'ok', about, text };
}

export function warn(about: string, text: string, advice: string): Finding {
  return { level: 'warn', about, text, advice };
}

export function fail(about: string, text: string, advice: string): Finding {
  return { level: 'fail', about, text, advice };
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A name under which nobody else is to find the server. */
export function isForTrying(serverName: string): boolean {
  return /^(localhost|127\.|\[::1\])/.test(serverName);
}
