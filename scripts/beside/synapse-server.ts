import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OtherServer, type OtherServerOptions, runOtherServer } from './other-server.ts';

type Options = OtherServerOptions & {
  readonly python: string;
  /** What it is called by, with the port. */
  readonly host?: string;
  /** Instead of what is set otherwise. */
  readonly settings?: Readonly<Record<string, unknown>>;
};

const manyRequests = { per_second: 1000, burst_count: 10_000 };

/** Starts Synapse on loopback. Its configuration is YAML, of which JSON is a part. */
export async function startSynapse(options: Options): Promise<OtherServer> {
  const {
    python,
    host = 'localhost',
    folder,
    clientPort,
    serverPort,
    listenPort = serverPort,
    caFile,
    certified,
    hasOpenMedia,
    appServiceFile,
    settings,
  } = options;
  mkdirSync(folder, { recursive: true });
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('cert.pem'), certified.certificate);
  writeFileSync(path('key.pem'), certified.key, { mode: 0o600 });
  const serverName = `${host}:${serverPort}`;
  const listener = (port: number, tls: boolean, names: readonly string[]) => ({
    port,
    tls,
    type: 'http',
    bind_addresses: ['127.0.0.1'],
    resources: [{ names }],
  });
  const config = {
    server_name: serverName,
    pid_file: path('synapse.pid'),
    listeners: [listener(clientPort, false, ['client']), listener(listenPort, true, ['federation', 'client', 'media'])],
    tls_certificate_path: path('cert.pem'),
    tls_private_key_path: path('key.pem'),
    federation_custom_ca_list: [caFile],
    database: { name: 'sqlite3', args: { database: path('synapse.db') } },
    signing_key_path: path('signing.key'),
    media_store_path: path('media'),
    bcrypt_rounds: 4,
    macaroon_secret_key: 'beside',
    form_secret: 'beside',
    report_stats: false,
    enable_registration: true,
    enable_registration_without_verification: true,
    trusted_key_servers: [],
    ip_range_blacklist: [],
    federation_ip_range_blacklist: [],
    allow_public_rooms_over_federation: true,
    room_list_publication_rules: [{ action: 'allow' }],
    suppress_key_server_warning: true,
    rc_message: manyRequests,
    rc_registration: manyRequests,
    rc_login: { address: manyRequests, account: manyRequests, failed_attempts: manyRequests },
    rc_joins: { local: manyRequests, remote: manyRequests },
    rc_joins_per_room: manyRequests,
    rc_presence: { per_user: manyRequests },
    rc_room_creation: manyRequests,
    rc_invites: { per_room: manyRequests, per_user: manyRequests, per_issuer: manyRequests },
    federation: { destination_min_retry_interval: '1s', destination_max_retry_interval: '1s' },
    ...(hasOpenMedia === true && { enable_authenticated_media: false }),
    // Once the keys that sign devices took the password from the beginning.
    experimental_features: { msc3967_enabled: true },
    // Otherwise a first sync is answered with the one before.
    caches: { sync_response_cache_duration: '0s' },
    log_config: path('log.json'),
    ...(appServiceFile !== undefined && { app_service_config_files: [appServiceFile] }),
    ...settings,
  };
  const log = {
    version: 1,
    disable_existing_loggers: false,
    formatters: { timed: { format: '%(asctime)s %(name)s %(levelname)s %(message)s' } },
    handlers: { file: { class: 'logging.FileHandler', formatter: 'timed', filename: path('synapse.log') } },
    root: { level: 'INFO', handlers: ['file'] },
  };
  writeFileSync(path('log.json'), JSON.stringify(log));
  writeFileSync(path('homeserver.yaml'), JSON.stringify(config));
  const args = ['-m', 'synapse.app.homeserver', '-c', path('homeserver.yaml')];
  const made = spawnSync(python, [...args, '--generate-keys'], { cwd: folder, encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`Synapse refuses its configuration: ${made.stderr}`);

  return runOtherServer({
    command: python,
    args,
    options: { cwd: folder, stdio: 'ignore' },
    log: path('synapse.log'),
    serverName,
    clientPort,
  });
}
