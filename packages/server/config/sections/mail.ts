import { mailbox } from '../mail-types.ts';
import { boolean, integer, oneOf, readablePath, text } from '../scalar-types.ts';
import { optional, section, setting } from '../setting.ts';
import { list } from '../structured-types.ts';

export const mail = section(
  'Email, with which people add their addresses to their accounts, reset passwords, and register. Without a host there is none.',
  {
    host: optional(text, {
      help: 'The SMTP server that takes the mail. It may have a private address.',
      example: 'smtp.example.org',
    }),
    port: optional(integer(1, 65_535), {
      help: 'The port of that server.',
      defaultIs: '587 with starttls, 465 with tls, 25 with none',
      example: '587',
    }),
    security: setting(oneOf('starttls', 'tls', 'none'), {
      default: 'starttls',
      help:
        'starttls: the connection becomes a TLS one, or nothing is sent; tls: it is one from its first byte; none: only for a server ' +
        'on this machine or a network of your own.',
    }),
    user: optional(text, { help: 'Whom to log in as, if the SMTP server wants that.', example: 'portico' }),
    password: optional(text, { help: 'The password of that user.', example: 'a password', secret: true }),
    password_file: optional(readablePath, {
      help: 'Instead: a file whose first line is the password.',
      example: 'smtp-password',
    }),
    from: optional(mailbox, {
      help: 'Whom the mail is from.',
      defaultIs: 'noreply@ the name of this server',
      example: '"Example <portico@example.org>"',
    }),
    reveal_addresses: setting(boolean, {
      default: 'false',
      help:
        'Whether somebody who asks for a token is told that an address belongs to an account here, or to none. false: the answer is ' +
        'always the same, and an email tells whoever owns the address.',
    }),
    next_link_hosts: optional(list(text), {
      help:
        'The hosts to which the link in an email may lead on, once it has been followed. Clients say where; it is always HTTPS, and only ' +
        'after the address was proved.',
      defaultIs: 'any',
      example: '[app.example.org]',
    }),
  },
);
