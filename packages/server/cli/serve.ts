import { flushCompileCache } from 'node:module';
import type { Config } from '../config/config.ts';
import { asksForReadiness } from '../config/service-manager.ts';
import type { Logger } from '../observability/logger.ts';
import { createLogger } from '../observability/logger.ts';
import { renderBanner } from '../process/banner.ts';
import type { Compose } from '../process/composition.ts';
import { onEndingSignal, onHangUp } from '../process/signals.ts';
import { startServer } from '../process/start-server.ts';
import type { RunningServer } from '../process/start-server.ts';
import { tellSystemdReady } from '../process/systemd.ts';
import type { Command } from './command.ts';
import { exitCodes } from './failure.ts';

/** The composition is loaded only by those who need it: it is most of the program. */
export type LoadCompose = () => Promise<Compose>;

export function serve(loadCompose: LoadCompose): Command {
  return {
    name: 'serve',
    positionals: [],
    summary: 'Runs the server in the foreground, until SIGTERM or SIGINT. SIGHUP has it read its certificates again.',
    options: {},
    takesConfig: true,
    async run({ loadConfig, print }) {
      const config = await loadConfig();
      const log = await createLogger(config.log);
      const ended = Promise.withResolvers<string>();
      const stopListening = onEndingSignal(ended.resolve);
      const server = await startServer(config, await loadCompose(), log);
      const stopRenewing = onHangUp(server.renewCertificates);
      announce(config, server, log, print);
      if (asksForReadiness()) await tellSystemdReady(log);
      // Now rather than at the end, which a kill would not leave time for.
      flushCompileCache();
      log.info({ signal: await ended.promise }, 'stopping');
      await server.stop();
      log.info('stopped');
      stopRenewing();
      stopListening();
      return exitCodes.fine;
    },
  };
}

/** The banner is for people: on a terminal, and at the very first start, when there is no account yet. */
function announce(
  config: Config,
  { listening, isNew }: RunningServer,
  log: Logger,
  print: (line: string) => void,
): void {
  const isForPeople = process.stdout.isTTY || isNew || config.log.format === 'pretty';
  if (isForPeople && config.log.format !== 'json') print(renderBanner(config, listening));
  log.info({ server: config.serverName, listening: listening.map(({ url }) => url) }, 'ready');
}
