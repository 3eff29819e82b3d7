import { headerText, type AnswerHeaders } from '../../outbound/read-body.ts';

const minute = 60_000;
const hour = 60 * minute;

/** "The recommended sensible default is 24 hours." */
const defaultLifetime = 24 * hour;
/** "Servers should additionally impose a maximum cache time for responses: 48 hours is recommended." */
const longestLifetime = 48 * hour;
/** A server that asks not to be cached does not get to be asked before every request. */
const shortestLifetime = 5 * minute;

/** "Errors are recommended to be cached for up to an hour" */
const longestFailure = hour;
const shortestFailure = minute;

function secondsOf(directives: string, name: string): number | undefined {
  const match = new RegExp(`(?:^|[,\\s])${name}\\s*=\\s*"?(\\d{1,10})`, 'i').exec(directives);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

function statedLifetime(headers: AnswerHeaders, now: number): number | undefined {
  const directives = headerText(headers, 'cache-control') ?? '';
  if (/(?:^|[,\s])no-(?:store|cache)\b/i.test(directives)) return 0;
  const maxAge = secondsOf(directives, 'max-age');
  const age = Number(headerText(headers, 'age') ?? 0) || 0;
  if (maxAge !== undefined) return (maxAge - age) * 1000;
  const expires = headerText(headers, 'expires');
  if (expires === undefined) return undefined;
  const at = Date.parse(expires);
  // RFC 9111, section 5.3: what is no date, the value 0 above all, lies in the past.
  return Number.isNaN(at) ? 0 : at - now;
}

/**
 * How long an answer to `/.well-known/matrix/server` is believed, in milliseconds.
 *
 * {@link https://spec.matrix.org/v1.19/server-server-api/#resolving-server-names}
 */
export function lifetimeOf(headers: AnswerHeaders, now: number): number {
  const stated = statedLifetime(headers, now) ?? defaultLifetime;
  return Math.min(Math.max(stated, shortestLifetime), longestLifetime);
}

/** "servers are encouraged to exponentially back off for repeated failures" */
export function lifetimeOfFailure(failures: number): number {
  return Math.min(shortestFailure * 2 ** Math.min(failures - 1, 10), longestFailure);
}
