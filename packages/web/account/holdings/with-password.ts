import type { JsonObject, JsonValue } from '@portico/protocol/json/value.ts';
import type { Asked, Session } from '../server/session.ts';
import { confirmationOf } from './confirmation.ts';

export type PasswordOutcome =
  | { readonly kind: 'done'; readonly answer: JsonObject }
  | { readonly kind: 'wrong-password' };

/**
 * Asks for something that the server does only for who knows the password.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api}
 */
export async function askWithPassword(session: Session, question: Asked, password: string): Promise<PasswordOutcome> {
  let opened: JsonValue | undefined;
  try {
    return { kind: 'done', answer: await session.ask(question) };
  } catch (error) {
    const confirmation = confirmationOf(error);
    if (confirmation === undefined) throw error;
    opened = confirmation['session'];
  }
  const identifier = { type: 'm.id.user', user: session.userId };
  const auth = { type: 'm.login.password', identifier, password, ...(opened !== undefined && { session: opened }) };
  try {
    return { kind: 'done', answer: await session.ask({ ...question, body: { ...question.body, auth } }) };
  } catch (error) {
    if (confirmationOf(error) === undefined) throw error;
    return { kind: 'wrong-password' };
  }
}
