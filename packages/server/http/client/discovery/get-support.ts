import { Type } from 'typebox';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { endpoint } from '../../endpoint.ts';

/** Whom to turn to. */
export type Support = {
  readonly contacts: readonly { readonly role: string; readonly matrix_id?: string; readonly email_address?: string }[];
  readonly page: string | undefined;
};

const contact = Type.Object(
  {
    matrix_id: Type.Optional(Type.String()),
    email_address: Type.Optional(Type.String()),
    role: Type.String(),
  },
  { title: 'Contact' },
);

export const getSupport = endpoint(
  {
    method: 'GET',
    path: '/.well-known/matrix/support',
    operationId: 'getWellknownSupport',
    summary: 'Gets homeserver contacts and support details.',
    auth: 'none',
    response: Type.Object(
      { contacts: Type.Optional(Type.Array(contact)), support_page: Type.Optional(Type.String()) },
      { title: 'SupportWellKnown' },
    ),
  },
  ({ support: { contacts, page } }: { support: Support }) => {
    // "At least one of `contacts` or `support_page` is required."
    if (contacts.length === 0 && page === undefined) {
      return () => {
        throw new MatrixError('not-found', { message: 'No server support information available.' });
      };
    }
    const answer = {
      ...(contacts.length > 0 && { contacts }),
      ...(page !== undefined && { support_page: page }),
    };
    return () => answer;
  },
);
