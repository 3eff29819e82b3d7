import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import type { Identifier } from '../identity/identity-client.ts';

/** As identifiers are kept: what is no email address is left as it is, and is nobody's. */
export function canonical({ medium, address }: Identifier): Identifier {
  return { medium, address: (medium === 'email' ? parseEmailAddress(address) : undefined) ?? address };
}
