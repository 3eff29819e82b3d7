import { boolean, integer, oneOf, size, text } from '../scalar-types.ts';
import { optional, section, setting } from '../setting.ts';

export const registration = section('Who may make an account.', {
  mode: setting(oneOf('closed', 'token', 'open'), {
    default: 'closed',
    help: 'closed: only through the command line and the shared secret; token: whoever has a registration token; open: everyone.',
  }),
  shared_secret: optional(text, {
    help: 'Enables POST /_synapse/admin/v1/register, with which tools that know this secret make accounts, administrators included.',
    example: 'a long random text',
    secret: true,
  }),
  require_email: setting(boolean, {
    default: 'false',
    help: 'Whether everyone who makes an account through a client must have an email address, and prove it. Takes the section mail.',
  }),
});

export const passwords = section('How passwords are kept.', {
  argon2: section('The cost of hashing a password with argon2id.', {
    memory: setting(size('8KiB', '4GiB'), {
      default: '19MiB',
      help: 'Memory for one hash. Tests turn it down to 1MiB.',
    }),
    passes: setting(integer(1, 100), { default: '2', help: 'Passes over that memory. Tests turn it down to 1.' }),
  }),
});
