import type { SharedSecretRegistration } from '../../services/accounts/shared-secret.ts';
import type { Endpoint } from '../endpoint.ts';
import { getRegistrationNonce } from './get-registration-nonce.ts';
import { registerBySharedSecret } from './register-by-shared-secret.ts';

export type AdminServices = { readonly sharedSecret: SharedSecretRegistration };

/** What administrators' tools use. */
export const adminEndpoints: readonly Endpoint<AdminServices>[] = [getRegistrationNonce, registerBySharedSecret];
