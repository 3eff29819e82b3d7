import { parseUserId } from '@portico/protocol/ids/user-id.ts';
import { text } from './scalar-types.ts';
import { record } from './structured-types.ts';
import { reportWrong, scalarType, type ValueType } from './value-type.ts';

const userId = scalarType('a user ID such as @admin:example.org', (value) => parseUserId(value));

const emailAddress = scalarType('an email address', (value) =>
  /^[^\s@]+@[^\s@]+$/.test(value) && value.length <= 254 ? value : undefined,
);

const fields = record({ role: text }, { matrix_id: userId, email_address: emailAddress });

type Contact = {
  /** `m.role.admin`, `m.role.security`, or a namespaced one. */
  readonly role: string;
  readonly matrix_id?: string;
  readonly email_address?: string;
};

/** "At least one of `matrix_id` or `email_address` is required": https://spec.matrix.org/v1.19/client-server-api/#getwell-knownmatrixsupport */
export const contact: ValueType<Contact> = {
  description: `${fields.description}, with one of the last two at least`,
  structured: true,
  parse(raw, context) {
    const isMapping = raw.kind === 'mapping';
    if (isMapping && !raw.entries.has('matrix_id') && !raw.entries.has('email_address')) {
      return reportWrong(raw, context, 'an object with a matrix_id, an email_address or both');
    }
    return fields.parse(raw, context);
  },
};
