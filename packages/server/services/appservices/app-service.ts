import type { Namespace, Registration } from '../../config/application-services/registration.ts';
import { createSmallCache } from '../reading/small-cache.ts';

/** An application service as its registration describes it. Which names it is interested in, it tells itself. */
export interface AppService {
  readonly id: string;
  readonly url: string | undefined;
  readonly hsToken: string;
  /** The user that the service acts as where it names nobody. */
  readonly sender: string;
  readonly isRateLimited: boolean;
  readonly receivesEphemeral: boolean;
  readonly receivesDeviceLists: boolean;
  readonly protocols: readonly string[];
  /** What its interest in users follows from: where it changes, who is of interest has to be found anew. */
  readonly userNamespaces: string;
  /** A user of this server whom the service may act as, and whose rooms interest it. */
  readonly matchesUser: NameTest;
  readonly matchesAlias: NameTest;
  readonly matchesRoom: NameTest;
  /** Whether any aliases interest it. */
  readonly namesAliases: boolean;
  /** Whether nobody else may make the name. */
  readonly ownsUser: NameTest;
  readonly ownsAlias: NameTest;
}

export type NameTest = (name: string) => boolean;

/** Names whose answers are remembered, for each test. */
const maxRemembered = 20_000;

export function createAppService(registration: Registration, serverName: string): AppService {
  const { id, url, hsToken, namespaces, protocols } = registration;
  const { users, aliases, rooms } = namespaces;
  const sender = `@${registration.senderLocalpart}:${serverName}`;
  const suffix = `:${serverName}`;
  /*
   * > For the `users` namespace, application services can only register interest in _local_ users
   *
   * {@link https://spec.matrix.org/v1.19/application-service-api/#registration}
   */
  const userTest = (all: readonly Namespace[]): NameTest => {
    const test = testOf(all);
    return (name) => name === sender || (name.endsWith(suffix) && test(name));
  };
  return {
    id,
    url,
    hsToken,
    sender,
    isRateLimited: registration.rateLimited,
    receivesEphemeral: registration.receiveEphemeral,
    receivesDeviceLists: registration.deviceLists,
    protocols,
    userNamespaces: JSON.stringify([sender, ...users.map(({ regex }) => regex)]),
    matchesUser: userTest(users),
    matchesAlias: testOf(aliases),
    matchesRoom: testOf(rooms),
    namesAliases: aliases.length > 0,
    ownsUser: userTest(users.filter(isExclusive)),
    ownsAlias: testOf(aliases.filter(isExclusive)),
  };
}

const isExclusive = ({ exclusive }: Namespace): boolean => exclusive;

function testOf(namespaces: readonly Namespace[]): NameTest {
  if (namespaces.length === 0) return () => false;
  const known = createSmallCache<string, boolean>(maxRemembered);
  return (name) => {
    let answer = known.get(name);
    if (answer === undefined) {
      answer = namespaces.some(({ matches }) => matches(name));
      known.set(name, answer);
    }
    return answer;
  };
}
