import type { JsonObject, JsonValue } from '@portico/protocol/json/value.ts';
import { objectsOf } from './json.ts';
import { codeOf, describeProblem } from './server-problem.ts';
import type { Server } from './server.ts';

const path = '_matrix/client/v3/login';

/** A service by way of which one can log in. */
export type Provider = { readonly id: string; readonly name: string };

/** How one can log in here. */
export type Offer = { readonly passwords: boolean; readonly providers: readonly Provider[] };

export async function readOffer(server: Server): Promise<Offer> {
  const flows = objectsOf((await server.ask({ path }))['flows']);
  return {
    passwords: flows.some((flow) => flow['type'] === 'm.login.password'),
    providers: flows
      .filter((flow) => flow['type'] === 'm.login.sso')
      .flatMap((flow) => providersOf(flow['identity_providers'])),
  };
}

export function providersOf(value: JsonValue | undefined): readonly Provider[] {
  return objectsOf(value).flatMap(({ id, name }) =>
    typeof id === 'string' && typeof name === 'string' ? [{ id, name }] : [],
  );
}

export type LoginOutcome =
  | { readonly kind: 'in'; readonly userId: string; readonly deviceId: string; readonly token: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** `name` is a user name, a whole ID such as `@alice:example.org`, or an email address. */
export function logIn(server: Server, name: string, password: string): Promise<LoginOutcome> {
  const isEmail = name.indexOf('@') > 0;
  const identifier = isEmail
    ? { type: 'm.id.thirdparty', medium: 'email', address: name }
    : { type: 'm.id.user', user: name };
  return logInWith(server, { type: 'm.login.password', identifier, password });
}

/** With a token that the server has given, which is good once. */
export function logInByToken(server: Server, token: string): Promise<LoginOutcome> {
  return logInWith(server, { type: 'm.login.token', token });
}

async function logInWith(server: Server, proof: JsonObject & { readonly type: string }): Promise<LoginOutcome> {
  const body = { ...proof, initial_device_display_name: 'Account page' };
  try {
    const answer = await server.ask({ method: 'POST', path, body });
    const { user_id: userId, device_id: deviceId, access_token: token } = answer;
    if (typeof userId === 'string' && typeof deviceId === 'string' && typeof token === 'string') {
      return { kind: 'in', userId, deviceId, token };
    }
    return { kind: 'refused', reason: 'The server gave an answer that this page does not understand.' };
  } catch (error) {
    return {
      kind: 'refused',
      reason: codeOf(error) === 'M_FORBIDDEN' ? (wrong[proof.type] ?? '') : describeProblem(error),
    };
  }
}

const wrong: Readonly<Record<string, string>> = {
  'm.login.password': 'The name or the password is wrong.',
  'm.login.token': 'That took too long, or was done already. Log in once more.',
};
