import type { JsonObject, JsonValue } from '@portico/protocol/json/value.ts';
import { textOf } from '../server/json.ts';
import { ServerProblem } from '../server/server-problem.ts';
import type { Asked, Session } from '../server/session.ts';

/** The session that the server has opened for a request that it wants confirmed; `undefined` for any other refusal. */
export function confirmationOf(error: unknown): JsonObject | undefined {
  if (!(error instanceof ServerProblem) || error.problem.kind !== 'refused' || error.problem.status !== 401)
    return undefined;
  const { answer } = error.problem;
  return Array.isArray(answer['flows']) ? answer : undefined;
}

export type ConfirmedOutcome =
  | { readonly kind: 'done'; readonly answer: JsonObject }
  /** Until it is confirmed on another page, for this session. */
  | { readonly kind: 'unconfirmed'; readonly opened: string };

/**
 * Asks for something that the server does only for who has shown who they are on a page of its own.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#fallback}
 */
export async function askConfirmed(
  session: Session,
  question: Asked,
  opened: string | undefined,
): Promise<ConfirmedOutcome> {
  const body: JsonObject | undefined =
    opened === undefined ? question.body : { ...question.body, auth: { session: opened } as JsonValue };
  try {
    return { kind: 'done', answer: await session.ask({ ...question, ...(body !== undefined && { body }) }) };
  } catch (error) {
    const confirmation = confirmationOf(error);
    const given = textOf(confirmation?.['session']);
    if (given === undefined) throw error;
    return { kind: 'unconfirmed', opened: given };
  }
}
