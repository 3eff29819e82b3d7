import type { Config } from '../config/config.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import { startCommandSocket } from './command-socket.ts';
import type { CommandHandlers } from './command-socket.ts';
import type { Compose } from './composition.ts';
import { connectionsWithin, createConnectionLimit, openFilesLimit } from './connection-limit.ts';
import { openDataFolder } from './data-folder.ts';
import type { Listenable, Listeners, Listening, TlsFiles } from './listeners.ts';
import { startListeners } from './listeners.ts';
import { createShutdown } from './shutdown.ts';
import { openSigningKey } from './signing-key.ts';

export type RunningServer = {
  readonly listening: readonly Listening[];
  /** Whether this start made the data folder. */
  readonly isNew: boolean;
  /** Reads the certificates of the listeners again, and says in the log how that went. */
  readonly renewCertificates: () => void;
  /** Answers open long polls, finishes requests in flight, and puts everything away. */
  readonly stop: () => Promise<void>;
};

/** Starts a server as it is configured. What it opened is closed again if it cannot. */
export async function startServer(
  config: Config,
  compose: Compose,
  log: Logger,
  { openFiles = openFilesLimit }: { readonly openFiles?: () => number | undefined } = {},
): Promise<RunningServer> {
  const shutdown = createShutdown(log);
  try {
    const folder = openDataFolder(config);
    shutdown.add('data folder', folder.close);
    const wantsMetrics = config.listeners.some(({ serve }) => serve.includes('metrics'));
    const { metrics, createApp: createMetricsApp } = wantsMetrics ? await loadMetrics() : nobodyMeasures;
    if (metrics) shutdown.add('metrics', metrics.close);
    const signingKey = openSigningKey(config.dataDir);
    const program = await compose({ config, log, metrics, signingKey, signal: shutdown.signal });
    shutdown.add('program', program.close);
    const socket = await startCommandSocket({ dataDir: config.dataDir, handlers: program.handlers, log });
    shutdown.add('command socket', socket.close);
    const listeners = await startListeners(
      config.listeners,
      (listener, tls) =>
        listener.serve.includes('metrics') ? createMetricsApp(tls) : program.createApp(listener, tls),
      limitConnections(openFiles(), log, metrics),
    );
    shutdown.add('listeners', listeners.close);
    return {
      listening: listeners.listening,
      isNew: folder.isNew,
      renewCertificates: () => renewCertificates(listeners, log),
      stop: shutdown.run,
    };
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}

/** With fewer, a few hundred people who are online leave no connection for anybody else. */
const fewConnections = 2000;

/** Answers what keeps each server's connections within the files that may be open. */
function limitConnections(
  openFiles: number | undefined,
  log: Logger,
  metrics: Metrics | undefined,
): ReturnType<typeof createConnectionLimit>['watch'] {
  if (openFiles === undefined) return () => undefined;
  const most = connectionsWithin(openFiles);
  const advice = 'More need a higher limit of open files: LimitNOFILE= under systemd, --ulimit nofile= for a container';
  if (most < fewConnections) log.warn({ openFiles, connections: most }, `Only so many connections fit. ${advice}`);
  const { watch, open } = createConnectionLimit({
    most,
    onRefused: (refused) => log.warn({ refused, connections: most }, `Connections are refused. ${advice}`),
  });
  metrics?.registry.gauge('portico_connections', 'Connections that are open.', open);
  metrics?.registry.gauge(
    'portico_connections_limit',
    'Connections that the limit of open files leaves room for.',
    () => most,
  );
  return watch;
}

function renewCertificates(listeners: Listeners, log: Logger): void {
  try {
    const certificates = listeners.renewCertificates();
    log.info({ certificates }, 'read the certificates again; other settings need a restart');
  } catch (error) {
    log.error({ error }, 'The certificates cannot be used; those that were read before stay in use');
  }
}

type Measuring = {
  readonly metrics: Metrics | undefined;
  readonly createApp: (tls: TlsFiles | undefined) => Listenable;
};

const nobodyMeasures: Measuring = {
  metrics: undefined,
  createApp() {
    throw new Error('There are no metrics to serve');
  },
};

/** Most servers have no listener for metrics, and start sooner without what serves them. */
async function loadMetrics(): Promise<Measuring> {
  const [{ createMetrics }, { createMetricsServer }] = await Promise.all([
    import('../observability/metrics.ts'),
    import('../observability/metrics-server.ts'),
  ]);
  const metrics = createMetrics();
  return { metrics, createApp: (tls) => createMetricsServer(metrics.registry, tls) };
}

/** Opens a data folder for one command, without listening anywhere. */
export async function openForCommand(
  config: Config,
  compose: Compose,
  log: Logger,
): Promise<{ handlers: CommandHandlers; close: () => Promise<void> }> {
  const shutdown = createShutdown(log);
  try {
    shutdown.add('data folder', openDataFolder(config).close);
    const signingKey = openSigningKey(config.dataDir);
    const program = await compose({ config, log, metrics: undefined, signingKey, signal: shutdown.signal });
    shutdown.add('program', program.close);
    return { handlers: program.handlers, close: shutdown.run };
  } catch (error) {
    await shutdown.run();
    throw error;
  }
}
