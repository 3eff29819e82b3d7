import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export type DevServer = {
  readonly serverName: string;
  readonly baseUrl: string;
  /** Whether it has come up. */
  readonly ready: Promise<boolean>;
  /** Its exit code. */
  readonly ended: Promise<number>;
  stop(): void;
};

type Options = {
  readonly serverName: string;
  readonly dataDir: string;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly caFile: string;
  readonly certified: { readonly certificate: string; readonly key: string };
};

/** Starts a server on loopback, for clients without TLS and for other servers with it. */
export function startDevServer(options: Options): DevServer {
  const { serverName, dataDir, clientPort, serverPort, caFile, certified } = options;
  const baseUrl = `http://localhost:${clientPort}`;
  mkdirSync(dataDir, { recursive: true });
  const tls = { certificate: join(dataDir, 'cert.pem'), key: join(dataDir, 'key.pem') };
  writeFileSync(tls.certificate, certified.certificate);
  writeFileSync(tls.key, certified.key, { mode: 0o600 });
  const settings = {
    SERVER_NAME: serverName,
    PUBLIC_BASE_URL: baseUrl,
    DATA_DIR: dataDir,
    LISTENERS: JSON.stringify([
      { address: '127.0.0.1', port: clientPort, serve: ['client', 'admin', 'web'] },
      { address: '127.0.0.1', port: serverPort, serve: ['federation', 'client'], tls },
    ]),
    REGISTRATION_MODE: 'open',
    RATE_LIMITS_ENABLED: 'false',
    ROOMS_PUBLICATION: 'anyone',
    OUTBOUND_TRUSTED_CA_FILE: caFile,
    OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
  };
  const environment = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`PORTICO_${name}`, value]));
  const child = spawn(join(import.meta.dirname, '../../bin/portico'), ['serve'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const ended = once(child, 'exit').then(([code]) => (code as number | null) ?? 0);

  async function answers(): Promise<boolean> {
    while (child.exitCode === null && child.signalCode === null) {
      const answer = await fetch(`${baseUrl}/_matrix/client/versions`).catch(() => undefined);
      if (answer?.ok === true) return true;
      await delay(100);
    }
    return false;
  }
  let isStopping = false;
  function stop(): void {
    // A second signal would cut short what it does to end well.
    if (!isStopping) child.kill('SIGTERM');
    isStopping = true;
  }
  return { serverName, baseUrl, ready: answers(), ended, stop };
}
