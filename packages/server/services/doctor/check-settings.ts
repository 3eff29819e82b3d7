import type { Config } from '../../config/config.ts';
import { type Finding, isForTrying, ok, warn } from './finding.ts';

/** What is allowed, and seldom meant on a server that others reach. */
export function checkSettings(config: Config): Finding[] {
  const { serverName, publicBaseUrl, rateLimits, outbound, passwords, file } = config;
  const read = file === undefined ? 'no file, defaults and environment' : file;
  const isTried = isForTrying(serverName);
  return [
    ok('configuration', `${serverName}, from ${read}`),
    ...(isTried || publicBaseUrl.startsWith('https://')
      ? []
      : [
          warn(
            'public_base_url',
            `it is ${publicBaseUrl}, without TLS`,
            'Set it to the https address at which clients reach the server.',
          ),
        ]),
    ...(rateLimits.enabled ? [] : [warn('rate_limits', 'they are off', 'Set rate_limits.enabled to true.')]),
    ...(outbound.allowPrivateAddresses && !isTried
      ? [
          warn(
            'outbound',
            'connections to private addresses are allowed: other servers can make this one ask in your network',
            'Set outbound.allow_private_addresses to false, unless this is a test network.',
          ),
        ]
      : []),
    ...(passwords.argon2.memory < leastMemory
      ? [warn('passwords', 'hashing them costs little', 'Remove passwords.argon2.memory: the default is 19MiB.')]
      : []),
  ];
}

/** Half of the default, in bytes. */
const leastMemory = 9 * 1024 * 1024;
