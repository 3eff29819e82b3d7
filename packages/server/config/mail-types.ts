import { parseEmailAddress } from '@portico/protocol/ids/email-address.ts';
import { scalarType } from './value-type.ts';

export type Mailbox = { readonly name: string; readonly address: string };

const withName = /^([^<>"\r\n]{0,200}?)\s*<([^<>]+)>$/;

/** An address, or a name with the address in angle brackets. */
export const mailbox = scalarType(
  'an address such as portico@example.org or Example <portico@example.org>',
  (value) => {
    const [, name = '', written = value] = withName.exec(value) ?? [];
    return parseEmailAddress(written) === undefined ? undefined : ({ name, address: written } satisfies Mailbox);
  },
);
