import type { Registration } from '../../config/application-services/registration.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { hashToken } from '../accounts/access-tokens.ts';
import { type AppService, createAppService } from './app-service.ts';

/** The application services of this server, and what is theirs. */
export interface AppServices {
  readonly all: readonly AppService[];
  findByToken(token: string): AppService | undefined;
  find(id: string): AppService | undefined;
  /** Throws `app-service.exclusive` for a user name that a person, or the service `by`, may not take. */
  checkNewUser(userId: string, by: string | undefined): void;
  /** Whether one of them has the user to itself. */
  ownsUser(userId: string): boolean;
  /** The same for an alias, to make or to remove. */
  checkAlias(alias: string, by: string | undefined): void;
}

type Test = (service: AppService) => boolean;

/**
 * > Application services which attempt to create users or aliases _outside_ of their defined namespaces […] will receive an
 * > error code `M_EXCLUSIVE`. Similarly, normal users who attempt to create users or aliases _inside_ an application
 * > service-defined namespace
 *
 * {@link https://spec.matrix.org/v1.19/application-service-api/#server-admin-style-permissions}
 */
export function createAppServices(registrations: readonly Registration[], serverName: string): AppServices {
  const all: AppService[] = [];
  const byToken = new Map<string, AppService>();
  const byId = new Map<string, AppService>();
  for (const registration of registrations) {
    const service = createAppService(registration, serverName);
    all.push(service);
    byToken.set(hashToken(registration.asToken), service);
    byId.set(service.id, service);
  }

  function check(by: string | undefined, what: string, owns: Test, matches: Test): void {
    const self = by === undefined ? undefined : byId.get(by);
    if (self !== undefined && !matches(self)) {
      throw new MatrixError('app-service.exclusive', { message: `${what} is not in the namespaces of the service.` });
    }
    const owner = all.find(owns);
    if (owner === undefined || owner === self) return;
    throw new MatrixError('app-service.exclusive', { message: `${what} belongs to an application service.` });
  }

  return {
    all,
    findByToken: (token) => (all.length === 0 ? undefined : byToken.get(hashToken(token))),
    find: (id) => byId.get(id),
    checkNewUser(userId, by) {
      const owns: Test = ({ ownsUser }) => ownsUser(userId);
      check(by, 'This user name', owns, ({ matchesUser }) => matchesUser(userId));
    },
    ownsUser: (userId) => all.some(({ ownsUser }) => ownsUser(userId)),
    checkAlias(alias, by) {
      const owns: Test = ({ ownsAlias }) => ownsAlias(alias);
      check(by, 'This alias', owns, ({ matchesAlias }) => matchesAlias(alias));
    },
  };
}
