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
    `Account pages: not built yet; they will be at ${config.publicBaseUrl}/account`,
    '',
    '',
  ].join('\n');
}
