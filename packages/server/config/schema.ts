import { contact } from './contact-types.ts';
import { databaseLocation, localpart, networkAddress, roomVersion, serverName } from './portico-types.ts';
import { boolean, integer, oneOf, path, readablePath, text, webAddress } from './scalar-types.ts';
import { passwords, registration } from './sections/accounts.ts';
import { calls } from './sections/calls.ts';
import { federation, outbound } from './sections/federation.ts';
import { mail } from './sections/mail.ts';
import { media, urlPreviews } from './sections/media.ts';
import { oauth } from './sections/oauth.ts';
import { privacy } from './sections/privacy.ts';
import { singleSignOn } from './sections/single-sign-on.ts';
import { optional, section, setting } from './setting.ts';
import { list, record } from './structured-types.ts';

/** What a listener may serve. */
const serves = oneOf('client', 'federation', 'admin', 'web', 'metrics');
const tls = record({ certificate: readablePath, key: readablePath }, {});
const listener = record({ address: text, port: integer(0, 65_535), serve: list(serves, { least: 1 }) }, { tls });

/**
 * Every setting there is. The parser, the environment's names, the command line's flags, the commented file of `init`
 * and the reference page are all made from this declaration. Long sections are in files of their own, in `sections/`.
 */
export const schema = section('', {
  server_name: setting(serverName, {
    default: 'localhost',
    help: 'The name behind the colon in user IDs. It cannot change later: the program refuses a data folder of another name.',
  }),
  public_base_url: optional(webAddress, {
    help: 'The address at which clients reach the server; they are told it.',
    defaultIs: 'the first listener that serves clients',
    example: 'https://example.org',
  }),
  data_dir: setting(path, {
    default: './data',
    help: 'The folder of everything the server keeps: signing key, SQLite database, media, socket. Relative to this file.',
  }),
  database: setting(databaseLocation, {
    default: 'sqlite:portico.db',
    help: 'sqlite:PATH, relative to data_dir, or postgres://user:password@host:5432/database',
  }),
  listeners: setting(list(listener, { least: 1 }), {
    default: '[{"address":"127.0.0.1","port":8008,"serve":["client","federation","admin","web"]}]',
    help:
      'Where the server listens, and what it serves there: client, federation, admin, web, or metrics, which needs a listener of its own. ' +
      'With tls: { certificate: cert.pem, key: key.pem } it speaks HTTPS.',
  }),
  http: section('Requests, wherever they come in.', {
    trusted_proxies: setting(list(networkAddress), {
      default: '[]',
      help:
        'Addresses and networks of your own reverse proxies, such as 127.0.0.1 or 10.0.0.0/8: only their X-Forwarded-For header is believed. ' +
        'Behind a proxy that is not listed, everybody seems to come from its address, and shares its limits.',
    }),
  }),
  registration,
  rate_limits: section('Protection against clients that ask too much.', {
    enabled: setting(boolean, {
      default: 'true',
      help: 'Off only for tests and benchmarks. Limits count per process.',
    }),
  }),
  federation,
  outbound,
  privacy,
  application_services: setting(list(readablePath), {
    default: '[]',
    help: 'Registration files of bridges and bots, or folders of such files. They are read when the server starts.',
    example: '[irc.yaml]',
  }),
  rooms: section('Rooms made on this server.', {
    default_version: setting(roomVersion, {
      default: '12',
      example: '"12"',
      help: 'The version of new rooms, where the client names none. Programs of before summer 2025 may not know the room IDs of version 12; 11 is for them.',
    }),
    publication: setting(oneOf('anyone', 'members', 'admins'), {
      default: 'members',
      help: 'Who may list a room in the directory: anyone, members who may set its canonical alias, or administrators of the server.',
    }),
  }),
  media,
  calls,
  support: section('Whom people can turn to; the server tells anybody who asks.', {
    contacts: setting(list(contact), {
      default: '[]',
      help: 'Who runs the server: m.role.admin for everything, m.role.security for what should stay confidential.',
      example: '[{ role: m.role.admin, matrix_id: "@admin:example.org", email_address: admin@example.org }]',
    }),
    page: optional(webAddress, { help: 'A page with help.', example: 'https://example.org/support' }),
  }),
  passwords,
  single_sign_on: singleSignOn,
  oauth,
  mail,
  url_previews: urlPreviews,
  presence: section('Who is online.', {
    enabled: setting(boolean, { default: 'true', help: 'Whether the server keeps track of it at all.' }),
  }),
  server_notices: section('Notices that administrators send to people, each in a room of their own.', {
    user: setting(localpart, {
      default: '_server',
      help: 'The user that sends them, without the name of the server. Nobody can log in as them.',
      example: 'notices',
    }),
    room_name: setting(text, { default: 'Server Notices', help: 'What the rooms are called.' }),
  }),
  log: section('What the server says about its work, on standard output.', {
    level: setting(oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal'), {
      default: 'info',
      help: 'The least important level that is written. Requests are logged at debug.',
    }),
    format: optional(oneOf('pretty', 'json'), {
      help: 'For people or for programs.',
      defaultIs: 'pretty on a terminal, json otherwise',
      example: 'json',
    }),
  }),
  durability: setting(oneOf('full', 'relaxed'), {
    default: 'full',
    help: 'full: what was acknowledged survives a power cut; relaxed: it survives a crash of the program, and a power cut may cost the last moment.',
  }),
});
