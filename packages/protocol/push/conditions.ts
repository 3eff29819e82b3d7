import { compileGlob } from '../glob.ts';
import { parsePropertyPath } from '../json/property-path.ts';
import type { JsonValue } from '../json/value.ts';
import { ownUserId } from './default-rules.ts';
import { eventProperty, loweredBody, type PushContext, type PushSubject } from './push-event.ts';
import type { PushCondition } from './rule.ts';
import { compileWordPattern } from './word-pattern.ts';

export type Predicate = (subject: PushSubject, context: PushContext) => boolean;

const never: Predicate = () => false;

/**
 * Makes a condition ready to be tried. "Unrecognised conditions MUST NOT match any events", and neither do those that
 * lack a parameter or have one of the wrong type.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#conditions-1}
 */
export function compileCondition(condition: PushCondition): Predicate {
  const { key, pattern, value, is, subscribed } = condition;
  const kind: string = typeof condition.kind === 'string' ? condition.kind : '';
  switch (kind) {
    case 'event_match':
      return typeof key === 'string' && typeof pattern === 'string' ? eventMatch(key, pattern) : never;
    case 'event_property_is':
      return typeof key === 'string' && isSimple(value) ? eventPropertyIs(key, value) : never;
    case 'event_property_contains':
      return typeof key === 'string' && isSimple(value) ? eventPropertyContains(key, value) : never;
    case 'room_member_count':
      return typeof is === 'string' ? roomMemberCount(is) : never;
    case 'sender_notification_permission':
      return typeof key === 'string' ? (_subject, context) => context.mayNotify(key) : never;
    case threadSubscription:
      return typeof subscribed === 'boolean' ? hasSubscribed(subscribed) : never;
    case 'contains_display_name':
      return containsDisplayName;
    default:
      return never;
  }
}

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4306} */
export const threadSubscription = 'io.element.msc4306.thread_subscription';

function hasSubscribed(expected: boolean): Predicate {
  return (_subject, context) => context.hasSubscribed === expected;
}

function eventMatch(key: string, pattern: string): Predicate {
  if (pattern === ownUserId) return ownIdMatch(key);
  if (key === 'content.body') {
    const matches = compileWordPattern(pattern);
    return (subject) => {
      const body = loweredBody(subject);
      return body !== undefined && matches(body);
    };
  }
  const path = parsePropertyPath(key);
  const matches = isLiteral(pattern) ? literalMatcher(pattern) : compileGlob(pattern, { ignoreCase: true });
  return (subject) => {
    const found = eventProperty(subject, path);
    return typeof found === 'string' && matches(found);
  };
}

function ownIdMatch(key: string): Predicate {
  const path = parsePropertyPath(key);
  return (subject, { userId }) => userId !== undefined && eventProperty(subject, path) === userId;
}

export function isLiteral(pattern: string): boolean {
  return !pattern.includes('*') && !pattern.includes('?');
}

/** Most texts have another length than the pattern, and putting them in lower case can be spared. */
function literalMatcher(pattern: string): (text: string) => boolean {
  const folded = pattern.toLowerCase();
  if (/^[\0-\x7f]*$/.test(folded)) {
    return (text) => text === folded || (text.length === folded.length && text.toLowerCase() === folded);
  }
  return (text) => text.toLowerCase() === folded;
}

function eventPropertyIs(key: string, value: Simple): Predicate {
  const path = parsePropertyPath(key);
  return (subject) => eventProperty(subject, path) === value;
}

function eventPropertyContains(key: string, value: Simple): Predicate {
  const path = parsePropertyPath(key);
  if (value === ownUserId) {
    return (subject, { userId }) => userId !== undefined && contains(eventProperty(subject, path), userId);
  }
  return (subject) => contains(eventProperty(subject, path), value);
}

function contains(found: JsonValue | undefined, value: Simple): boolean {
  return Array.isArray(found) && found.includes(value);
}

const comparison = /^(==|<|>|<=|>=)?([0-9]{1,15})$/;

function roomMemberCount(is: string): Predicate {
  const [, operator = '==', digits] = comparison.exec(is) ?? [];
  if (digits === undefined) return never;
  const limit = Number(digits);
  switch (operator) {
    case '<':
      return (_subject, context) => context.memberCount() < limit;
    case '>':
      return (_subject, context) => context.memberCount() > limit;
    case '<=':
      return (_subject, context) => context.memberCount() <= limit;
    case '>=':
      return (_subject, context) => context.memberCount() >= limit;
    default:
      return (_subject, context) => context.memberCount() === limit;
  }
}

/** Deprecated since v1.17, and still in rules that people made before. */
const containsDisplayName: Predicate = (subject, { displayName }) => {
  if (displayName === undefined || displayName === '') return false;
  const body = loweredBody(subject);
  // A name is no pattern: what would be wildcards in one stands for itself.
  return body !== undefined && body.includes(displayName.toLowerCase()) && compileName(displayName)(body);
};

/* A question mark in a name matches any character here, as it does in other servers; a star is taken out of the game. */
function compileName(displayName: string): (text: string) => boolean {
  return compileWordPattern(displayName.replaceAll('*', '?'));
}

type Simple = string | number | boolean | null;

/** "only supports non-compound canonical JSON values" */
function isSimple(value: JsonValue | undefined): value is Simple {
  if (typeof value === 'number') return Number.isSafeInteger(value);
  return value === null || typeof value === 'string' || typeof value === 'boolean';
}
