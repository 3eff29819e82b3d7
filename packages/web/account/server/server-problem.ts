import type { JsonObject } from '@portico/protocol/json/value.ts';

export type ProblemCause =
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'refused'; readonly status: number; readonly answer: JsonObject };

/** What went wrong with a request. */
export class ServerProblem extends Error {
  readonly problem: ProblemCause;
  constructor(problem: ProblemCause) {
    super(problem.kind);
    this.problem = problem;
  }
}

/** The error code of a refusal, `undefined` for everything else. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof ServerProblem) || error.problem.kind !== 'refused') return undefined;
  const { errcode } = error.problem.answer;
  return typeof errcode === 'string' ? errcode : undefined;
}

/** Whether it is what was asked for that is wrong: as it is, it will be refused again. */
export function isFlawed(error: unknown): boolean {
  return error instanceof ServerProblem && error.problem.kind === 'refused' && error.problem.status === 400;
}

/** Whether the server does not have what was asked for. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 'M_NOT_FOUND';
}

const words: Readonly<Record<string, string>> = {
  M_UNKNOWN_TOKEN: 'You have been logged out. Please log in again.',
  M_MISSING_TOKEN: 'You have been logged out. Please log in again.',
  M_USER_DEACTIVATED: 'This account has been closed.',
  M_USER_LOCKED: 'This account is locked. Ask whoever runs the server.',
  M_USER_SUSPENDED: 'This account is suspended, and may not do this. Ask whoever runs the server.',
  M_TOO_LARGE: 'That is more than the server keeps. Make the lists shorter.',
  M_WEAK_PASSWORD: 'The server finds that password too easy to guess. Choose a longer one.',
  M_UNRECOGNIZED: 'This server does not offer that.',
};

/** What went wrong, for people. */
export function describeProblem(error: unknown): string {
  if (!(error instanceof ServerProblem)) return 'Something went wrong on this page. Reload it and try again.';
  const { problem } = error;
  if (problem.kind === 'unreachable')
    return 'The server cannot be reached. Look whether you are online, and try again.';
  if (problem.kind === 'unreadable') return 'The server gave an answer that this page does not understand.';
  const { error: said, retry_after_ms: wait } = problem.answer;
  const code = codeOf(error) ?? '';
  if (code === 'M_LIMIT_EXCEEDED') return `That was too much at once. Try again ${inWords(wait)}.`;
  const known = words[code];
  if (known !== undefined) return known;
  if (typeof said === 'string' && said !== '') return `The server says: ${said}`;
  return problem.status >= 500 ? 'The server has a problem. Try again later.' : 'The server refused that.';
}

function inWords(milliseconds: unknown): string {
  if (typeof milliseconds !== 'number') return 'a little later';
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 90) return seconds === 1 ? 'in a second' : `in ${seconds} seconds`;
  return `in ${Math.ceil(seconds / 60)} minutes`;
}
