import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OtherServer, type OtherServerOptions, runOtherServer } from './other-server.ts';

/** `programs`: the folder with `dendrite` and `generate-keys`. */
type Options = OtherServerOptions & { readonly programs: string };

/** Starts Dendrite on loopback. Its configuration is YAML, of which JSON is a part. */
export async function startDendrite(options: Options): Promise<OtherServer> {
  const { programs, folder, clientPort, serverPort, listenPort = serverPort, caFile, certified } = options;
  mkdirSync(folder, { recursive: true });
  const path = (name: string): string => join(folder, name);
  writeFileSync(path('cert.pem'), certified.certificate);
  writeFileSync(path('key.pem'), certified.key, { mode: 0o600 });
  const made = spawnSync(join(programs, 'generate-keys'), ['--private-key', path('signing.pem')], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`Dendrite makes no key: ${made.error?.message ?? made.stderr}`);

  const serverName = `localhost:${serverPort}`;
  const database = (name: string) => ({ connection_string: `file:${path(`${name}.db`)}` });
  const config = {
    version: 2,
    global: {
      server_name: serverName,
      private_key: path('signing.pem'),
      jetstream: { storage_path: path('jetstream'), topic_prefix: 'Dendrite' },
      presence: { enable_inbound: true, enable_outbound: true },
    },
    client_api: { registration_disabled: false, rate_limiting: { enabled: false } },
    federation_api: {
      database: database('federation'),
      deny_networks: [],
      allow_networks: ['0.0.0.0/0'],
      key_perspectives: [],
    },
    key_server: { database: database('keys') },
    media_api: { database: database('media'), base_path: path('media'), dynamic_thumbnails: true },
    mscs: { database: database('mscs') },
    relay_api: { database: database('relay') },
    room_server: { database: database('rooms') },
    sync_api: { database: database('sync') },
    user_api: { account_database: database('accounts'), bcrypt_cost: 4 },
    logging: [{ type: 'std', level: 'info' }],
  };
  writeFileSync(path('dendrite.yaml'), JSON.stringify(config));
  const args = ['--config', path('dendrite.yaml'), '--really-enable-open-registration'];
  args.push('--http-bind-address', `127.0.0.1:${clientPort}`, '--https-bind-address', `127.0.0.1:${listenPort}`);
  args.push('--tls-cert', path('cert.pem'), '--tls-key', path('key.pem'));
  const log = path('dendrite.log');
  const output = openSync(log, 'w');
  return runOtherServer({
    command: join(programs, 'dendrite'),
    args,
    options: { cwd: folder, stdio: ['ignore', output, output], env: { ...process.env, SSL_CERT_FILE: caFile } },
    log,
    serverName,
    clientPort,
  });
}
