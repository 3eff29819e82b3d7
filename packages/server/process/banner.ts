import type { Config } from '../config/config.ts';
import type { Listening } from './listeners.ts';

/** What a person who has just started the server wants to know. */
export function renderBanner(config: Config, listening: readonly Listening[]): string {
  const lines = listening.map(({ url, listener }) => `  ${url}  (${listener.serve.join(', ')})`);
  const configFlag = config.file === undefined ? '' : ` --config ${config.file}`;
  return [
    '',
    `Portico serves ${config.serverName} from ${config.dataDir} and listens on`,
    ...lines,
    '',
    'Make the first account, an administrator, from another terminal:',
    `  bin/portico user add NAME --admin${configFlag}`,
    `Clients connect to ${config.publicBaseUrl}`,
    accountPages(config),
    '',
    '',
  ].join('\n');
}

function accountPages({ listeners, publicBaseUrl }: Config): string {
  const isServed = listeners.some(({ serve }) => serve.includes('web'));
  return isServed
    ? `Account pages are at ${publicBaseUrl}/account`
    : 'Account pages are not served: no listener has "web" in what it serves';
}
