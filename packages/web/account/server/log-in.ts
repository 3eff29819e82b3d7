import { objectsOf } from './json.ts';
import { codeOf, describeProblem } from './server-problem.ts';
import type { Server } from './server.ts';

const path = '_matrix/client/v3/login';

/** Whether one can log in with a password here. */
export async function offersPasswords(server: Server): Promise<boolean> {
  const { flows } = await server.ask({ path });
  return objectsOf(flows).some((flow) => flow['type'] === 'm.login.password');
}

export type LoginOutcome =
  | { readonly kind: 'in'; readonly userId: string; readonly deviceId: string; readonly token: string }
  | { readonly kind: 'refused'; readonly reason: string };

/** `name` is a user name, a whole ID such as `@alice:example.org`, or an email address. */
export async function logIn(server: Server, name: string, password: string): Promise<LoginOutcome> {
  const isEmail = name.indexOf('@') > 0;
  const identifier = isEmail
    ? { type: 'm.id.thirdparty', medium: 'email', address: name }
    : { type: 'm.id.user', user: name };
  const body = { type: 'm.login.password', identifier, password, initial_device_display_name: 'Account page' };
  try {
    const answer = await server.ask({ method: 'POST', path, body });
    const { user_id: userId, device_id: deviceId, access_token: token } = answer;
    if (typeof userId === 'string' && typeof deviceId === 'string' && typeof token === 'string') {
      return { kind: 'in', userId, deviceId, token };
    }
    return { kind: 'refused', reason: 'The server gave an answer that this page does not understand.' };
  } catch (error) {
    const isWrong = codeOf(error) === 'M_FORBIDDEN';
    return { kind: 'refused', reason: isWrong ? 'The name or the password is wrong.' : describeProblem(error) };
  }
}
