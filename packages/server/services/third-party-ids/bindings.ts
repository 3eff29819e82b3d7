import { createWriteSet, type Database } from '@portico/storage';
import {
  addBinding,
  type BindingRow,
  listBindings,
  removeBinding,
} from '@portico/storage/stores/accounts/third-party-bindings.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { IdentityClient, Identifier, UnbindResult } from '../identity/identity-client.ts';

export type BindRequest = {
  readonly client_secret: string;
  readonly id_server: string;
  readonly id_access_token: string;
  readonly sid: string;
};

/** What people publish at identity servers: whom an email address or a phone number belongs to. */
export interface Bindings {
  bind(userId: string, request: BindRequest): Promise<void>;
  /** At the server named, or wherever it was published by way of this one. */
  unbind(userId: string, identifiers: readonly Identifier[], idServer: string | undefined): Promise<UnbindResult>;
  /** Everything that was published, and these besides; whatever an identity server says to it. */
  unbindAll(userId: string, others: readonly Identifier[], idServer: string | undefined): Promise<UnbindResult>;
}

type Dependencies = { readonly db: Database; readonly identity: IdentityClient };

const maxBindings = 100;

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3account3pidbind} */
export function createBindings({ db, identity }: Dependencies): Bindings {
  async function unbindAt(userId: string, bindings: readonly BindingRow[]): Promise<UnbindResult> {
    const set = createWriteSet();
    const results = await Promise.allSettled(
      bindings.map(async (binding) => {
        const result = await identity.unbind(binding.id_server, userId, binding);
        if (result === 'success') removeBinding(set, userId, binding);
        return result;
      }),
    );
    if (set.writes.length > 0) await db.commit(set);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    const isDone = results.every((result) => result.status === 'fulfilled' && result.value === 'success');
    return isDone && bindings.length > 0 ? 'success' : 'no-support';
  }

  return {
    async bind(userId, { id_server: server, id_access_token: token, sid, client_secret: secret }) {
      if ((await listBindings(db, userId)).length >= maxBindings) throw new MatrixError('third-party.too-many');
      const bound = await identity.bind({ server, token }, { sid, client_secret: secret, mxid: userId });
      if (bound === undefined) return;
      const set = createWriteSet();
      addBinding(set, userId, { ...bound, id_server: server });
      await db.commit(set);
    },

    async unbind(userId, identifiers, idServer) {
      if (idServer !== undefined) {
        return unbindAt(
          userId,
          identifiers.map(({ medium, address }) => ({ medium, address, id_server: idServer })),
        );
      }
      const known = await listBindings(db, userId);
      return unbindAt(
        userId,
        known.filter((binding) => identifiers.some((one) => isSame(one, binding))),
      );
    },

    async unbindAll(userId, others, idServer) {
      const known = await listBindings(db, userId);
      const isKnown = (identifier: Identifier) => known.some((binding) => isSame(identifier, binding));
      const named =
        idServer === undefined
          ? []
          : [...known, ...others].map(({ medium, address }) => ({ medium, address, id_server: idServer }));
      // "If not provided, the homeserver MUST use the `id_server` that was originally use to bind each identifier."
      const wanted = idServer === undefined ? known : dedupe(named);
      if (known.length === 0 && others.length === 0) return 'success';
      try {
        const result = await unbindAt(userId, wanted);
        return idServer === undefined && !others.every(isKnown) ? 'no-support' : result;
      } catch (error) {
        if (error instanceof MatrixError) return 'no-support';
        throw error;
      }
    },
  };
}

function isSame(one: Identifier, other: Identifier): boolean {
  return one.medium === other.medium && one.address === other.address;
}

function dedupe(bindings: readonly BindingRow[]): readonly BindingRow[] {
  return [...new Map(bindings.map((binding) => [`${binding.medium} ${binding.address}`, binding])).values()];
}
