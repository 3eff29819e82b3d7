import type { ServerName } from '@portico/protocol/ids/server-name.ts';
import { createWriteSet, type Database, type WriteSet } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { findModerated } from '@portico/storage/stores/accounts/accounts-moderation.ts';
import { addExternalId, addFirstExternalId, findExternalOwner } from '@portico/storage/stores/accounts/external-ids.ts';
import { addThirdPartyId, findThirdPartyOwner } from '@portico/storage/stores/accounts/third-party-ids.ts';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { findRefusal } from '../../errors/from-storage.ts';
import { newUserId } from '../accounts/names.ts';
import type { Registration } from '../accounts/registration.ts';
import type { AppServices } from '../appservices/app-services.ts';
import type { ExternalPerson } from './person.ts';

/** Which account somebody gets into who comes from a provider. */
export interface Newcomers {
  /**
   * The one that is linked with them, or that they may have: `undefined` for who is new here. Throws `sso.reserved` where they would
   * have one that has a name of an application service's.
   */
  findAccount(provider: IdentityProvider, person: ExternalPerson): Promise<string | undefined>;
  /** Throws what is wrong with a new account for them, whatever it is called. */
  refuse(provider: IdentityProvider, person: ExternalPerson): void;
  /** Makes their account, with what `also` writes. Throws what is wrong with its name. */
  create(person: ExternalPerson, name: string, also?: (set: WriteSet, userId: string) => void): Promise<string>;
}

type Dependencies = {
  readonly db: Database;
  readonly serverName: ServerName;
  readonly registration: Registration;
  readonly appServices: Pick<AppServices, 'ownsUser'>;
  /** Whether everybody who is new must have an email address. */
  readonly requiresEmail: boolean;
  readonly now: () => number;
};

export function createNewcomers(dependencies: Dependencies): Newcomers {
  const { db, serverName, registration, appServices, requiresEmail, now } = dependencies;

  /** Somebody's with a password, who is no administrator: no account of a program, nor one that came by another provider. */
  async function findAdoptable(name: string): Promise<string | undefined> {
    const userId = parseName(name, serverName);
    if (userId === undefined) return undefined;
    const [account, standing] = await Promise.all([findAccount(db, userId), findModerated(db, userId)]);
    const isOrdinary = typeof account?.password_hash === 'string' && standing?.is_admin === 0;
    if (!isOrdinary || account.user_type !== null) return undefined;
    // Somebody may have had it before it was an application service's, which acts as them: nobody from elsewhere is to.
    if (appServices.ownsUser(userId)) throw new MatrixError('sso.reserved');
    return userId;
  }

  async function adopt(person: ExternalPerson): Promise<string | undefined> {
    const userId = person.localpart === undefined ? undefined : await findAdoptable(person.localpart);
    if (userId === undefined) return undefined;
    const set = createWriteSet();
    addFirstExternalId(set, userId, person, now());
    try {
      await db.commit(set);
      return userId;
    } catch (error) {
      // Somebody else of this provider has it.
      if (findRefusal(error)?.reason === 'external-id.taken') return undefined;
      throw error;
    }
  }

  return {
    async findAccount(provider, person) {
      const linked = await findExternalOwner(db, person);
      return linked ?? (provider.adoptsAccounts ? adopt(person) : undefined);
    },
    refuse(provider, person) {
      if (provider.newAccounts === 'nobody') throw new MatrixError('sso.no-account');
      if (requiresEmail && person.email === undefined) throw new MatrixError('sso.no-email');
    },
    async create(person, name, also) {
      const { email } = person;
      const isFree = email !== undefined && (await findThirdPartyOwner(db, 'email', email)) === undefined;
      if (requiresEmail && !isFree) throw new MatrixError('sso.no-email');
      const user = { name, password: undefined, isAdmin: false, displayName: person.displayName };
      return registration.create(user, (set, userId) => {
        addExternalId(set, userId, person, now());
        if (isFree) {
          addThirdPartyId(set, { userId, medium: 'email', address: email, validatedAt: now(), addedAt: now() });
        }
        also?.(set, userId);
      });
    },
  };
}

function parseName(name: string, serverName: ServerName): string | undefined {
  try {
    return newUserId(name, serverName);
  } catch (error) {
    if (error instanceof MatrixError) return undefined;
    throw error;
  }
}

/** Whether a refusal is about the name alone: another one may do. */
export function isNameProblem(refusal: MatrixError | undefined): refusal is MatrixError {
  return refusal !== undefined && nameProblems.has(refusal.reason);
}

const nameProblems: ReadonlySet<string> = new Set([
  'user.taken',
  'user.invalid-name',
  'user.name-too-long',
  'app-service.exclusive',
]);
