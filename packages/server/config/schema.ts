import { boolean, integer, oneOf, path, readablePath, size, text, webAddress } from './scalar-types.ts';
import { databaseLocation, localpart, networkAddress, roomVersion, serverName } from './portico-types.ts';
import { rtcTransport, turnServer } from './call-types.ts';
import { contact } from './contact-types.ts';
import { mailbox } from './mail-types.ts';
import { list, record } from './structured-types.ts';
import { optional, section, setting } from './setting.ts';

/** What a listener may serve. */
const serves = oneOf('client', 'federation', 'admin', 'web', 'metrics');
const tls = record({ certificate: readablePath, key: readablePath }, {});
const listener = record({ address: text, port: integer(0, 65_535), serve: list(serves, { least: 1 }) }, { tls });

/** A key as `old_verify_keys` has it, with the moment in milliseconds since when it signs no more. */
const oldKey = record({ id: text, key: text, expired_ts: integer(0, Number.MAX_SAFE_INTEGER) }, {});

const names = list(text);
const presenceSharing = record({}, { allowed_users: names, denied_users: names });
const inviteRules = record(
  {},
  {
    enabled: boolean,
    allowed_users: names,
    ignored_users: names,
    blocked_users: names,
    allowed_servers: names,
    ignored_servers: names,
    blocked_servers: names,
    default_action: oneOf('allow', 'block'),
  },
);

/**
 * Every setting there is. The parser, the environment's names, the command line's flags, the commented file of `init`
 * and the reference page are all made from this declaration.
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
  registration: section('Who may make an account.', {
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
  }),
  rate_limits: section('Protection against clients that ask too much.', {
    enabled: setting(boolean, {
      default: 'true',
      help: 'Off only for tests and benchmarks. Limits count per process.',
    }),
  }),
  federation: section('Talking to other servers.', {
    enabled: setting(boolean, { default: 'true', help: 'Whether this server talks to other servers.' }),
    public_rooms: setting(boolean, {
      default: 'true',
      help: 'Whether other servers may see which rooms are published in the directory here.',
    }),
    device_names: setting(boolean, {
      default: 'false',
      help:
        'Whether other servers are told what people call their devices. Clients in use make up names that say which device and program ' +
        'somebody has. People of this server see the names all the same.',
    }),
    notaries: setting(list(serverName), {
      default: '[]',
      help: 'Servers that are asked for keys of others which cannot be reached. They are trusted to tell the truth about them.',
      example: '[matrix.org]',
    }),
    old_keys: setting(list(oldKey), {
      default: '[]',
      help: 'Signing keys that this server has had before, so that others can still check what it signed with them.',
      example: '[{ id: "ed25519:old", key: "the public key in Base64", expired_ts: 1700000000000 }]',
    }),
  }),
  outbound: section(
    'Every connection the server opens: federation, push gateways, previews, identity servers, bridges.',
    {
      trusted_ca_file: optional(readablePath, {
        help: 'Further certificate authorities to trust, in PEM format.',
        example: 'ca.pem',
      }),
      allow_private_addresses: setting(boolean, {
        default: 'false',
        help: "Whether connections to private and loopback addresses are allowed: true for test networks. Bridges' own addresses always are.",
      }),
    },
  ),
  privacy: section('Rules of the whole server in front of what people set for themselves.', {
    presence: section('Who gets to see who is online (the shapes are those of MSC4325).', {
      default: setting(presenceSharing, {
        default: '{}',
        help: 'The sharing configuration of everyone who set none.',
        example: '{ denied_users: ["@*:evil.example"] }',
      }),
      overrides: setting(presenceSharing, {
        default: '{}',
        help: "Counts before everyone's own configuration; people cannot loosen it.",
        example: '{ denied_users: ["@*:evil.example"] }',
      }),
      unaware_servers: setting(oneOf('share', 'withhold'), {
        default: 'share',
        help: 'Servers that do not know MSC4325 show presence to everyone who shares a room. withhold: they get it only if all of those may see it.',
      }),
    }),
    invites: setting(inviteRules, {
      default: '{}',
      help:
        "Invite rules in front of every user's own (the shape is that of MSC4155 and MSC4380). They can only refuse: what they allow, " +
        'people may still block or ignore.',
      example: '{ blocked_servers: ["evil.example"] }',
    }),
    deactivation_marker: setting(oneOf('unstable', 'both'), {
      default: 'unstable',
      help:
        'How the leaves of accounts that are deactivated say so (MSC3759): by org.matrix.msc3759.deactivated alone, or by ' +
        'm.deactivated as well.',
    }),
  }),
  application_services: setting(list(readablePath), {
    default: '[]',
    help: 'Registration files of bridges and bots, or folders of such files. They are read when the server starts.',
    example: '[irc.yaml]',
  }),
  rooms: section('Rooms made on this server.', {
    default_version: setting(roomVersion, {
      default: '12',
      example: '"12"',
      help: 'The version of new rooms, where the client names none.',
    }),
    publication: setting(oneOf('anyone', 'members', 'admins'), {
      default: 'members',
      help: 'Who may list a room in the directory: anyone, members who may set its canonical alias, or administrators of the server.',
    }),
  }),
  media: section('Files that people send.', {
    require_authentication: setting(boolean, {
      default: 'true',
      help: 'Whether media can be had with an access token only. false: the old endpoints without one stay open.',
    }),
    max_upload_size: setting(size('1KB', '1TB'), {
      default: '100MB',
      help: 'The largest file one can upload.',
    }),
    max_remote_size: setting(size('1KB', '1TB'), {
      default: '100MB',
      help: 'The largest file of another server that is fetched for somebody here.',
    }),
    remote_cache_size: setting(size('1MB', '1PB'), {
      default: '10GB',
      help: 'How much of other servers’ files is kept, images of previews among them. What nobody has looked at for the longest time goes first.',
    }),
  }),
  calls: section('What calls between people need.', {
    transports: setting(list(rtcTransport), {
      default: '[]',
      help:
        'What carries the media of calls (MSC4143), the best first. Clients are told all of it, by .well-known/matrix/client even before ' +
        'anybody logs in: put no secrets here.',
      example: '[{ type: livekit, livekit_service_url: "https://calls.example.org" }]',
    }),
    turn: optional(turnServer, {
      help:
        'The TURN server for calls between two people, and the secret that it shares with this server (static-auth-secret of coturn). ' +
        'Credentials last for lifetime seconds: a day, unless you say otherwise.',
      example:
        '{ uris: ["turn:turn.example.org:3478?transport=udp"], shared_secret: a long random text, lifetime: 86400 }',
      secret: true,
    }),
  }),
  support: section('Whom people can turn to; the server tells anybody who asks.', {
    contacts: setting(list(contact), {
      default: '[]',
      help: 'Who runs the server: m.role.admin for everything, m.role.security for what should stay confidential.',
      example: '[{ role: m.role.admin, matrix_id: "@admin:example.org", email_address: admin@example.org }]',
    }),
    page: optional(webAddress, { help: 'A page with help.', example: 'https://example.org/support' }),
  }),
  passwords: section('How passwords are kept.', {
    argon2: section('The cost of hashing a password with argon2id.', {
      memory: setting(size('8KiB', '4GiB'), {
        default: '19MiB',
        help: 'Memory for one hash. Tests turn it down to 1MiB.',
      }),
      passes: setting(integer(1, 100), { default: '2', help: 'Passes over that memory. Tests turn it down to 1.' }),
    }),
  }),
  mail: section(
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
  ),
  url_previews: section('Previews of links.', {
    enabled: setting(boolean, {
      default: 'false',
      help:
        'Whether the server fetches pages that people ask for previews of. Off, because it tells the sites that somebody here has seen ' +
        'their address.',
    }),
    allow_hosts: setting(list(text), {
      default: '[]',
      help: 'If there are any, only pages and images of these hosts are fetched. * stands for any characters.',
      example: '["*.example.org", "example.org"]',
    }),
    deny_hosts: setting(list(text), {
      default: '[]',
      help: 'Hosts that are never asked, wherever addresses lead.',
      example: '["*.internal.example"]',
    }),
    accept_language: setting(text, {
      default: 'en',
      help: 'The languages in which pages are asked for, the best first, as browsers say it.',
      example: '"de, en;q=0.5"',
    }),
  }),
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
