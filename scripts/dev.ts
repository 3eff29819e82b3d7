import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { populate } from './dev/populate.ts';

/**
 * `npm run dev`: a server in `data/dev` with example people, rooms, threads and pictures, for clients to look at. On the
 * first start it is filled; after that it goes on with what is there. `--port` and `--data-dir` put it elsewhere.
 */
const { values } = parseArgs({
  options: { port: { type: 'string', default: '8008' }, 'data-dir': { type: 'string', default: 'data/dev' } },
});
const root = join(import.meta.dirname, '..');
const dataDir = join(root, values['data-dir']);
const baseUrl = `http://localhost:${values.port}`;

mkdirSync(dataDir, { recursive: true });
const settings = {
  SERVER_NAME: 'localhost',
  PUBLIC_BASE_URL: baseUrl,
  DATA_DIR: dataDir,
  LISTENERS: JSON.stringify([
    { address: '127.0.0.1', port: Number(values.port), serve: ['client', 'federation', 'admin', 'web'] },
  ]),
  REGISTRATION_MODE: 'open',
  RATE_LIMITS_ENABLED: 'false',
  ROOMS_PUBLICATION: 'anyone',
};
const environment = Object.fromEntries(Object.entries(settings).map(([name, value]) => [`PORTICO_${name}`, value]));
const server = spawn(join(root, 'bin/portico'), ['serve'], {
  stdio: ['ignore', 'inherit', 'inherit'],
  env: { ...process.env, ...environment },
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => server.kill(signal));
const ended = once(server, 'exit');

await Promise.race([ready(), ended]);
if (server.exitCode === null) {
  const people = await populate(baseUrl);
  console.log(`\nLog in at ${baseUrl} as ${people.names.join(', ')}, each with the password "${people.password}".`);
}
const [code] = (await ended) as [number | null];
process.exitCode = code ?? 0;

async function ready(): Promise<void> {
  for (;;) {
    const answer = await fetch(`${baseUrl}/_matrix/client/versions`).catch(() => undefined);
    if (answer?.ok === true) return;
    await delay(100);
  }
}
