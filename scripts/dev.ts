import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createTestAuthority } from '../packages/testkit/certificates.ts';
import { meet } from './dev/meet.ts';
import { populate } from './dev/populate.ts';
import { isTaken } from './dev/ports.ts';
import { startDevServer } from './dev/server.ts';

/**
 * `npm run dev`: a server in `data/dev` with example people, rooms, threads and pictures, for clients to look at, and a
 * neighbour that it federates with. On the first start they are filled; after that they go on with what is there.
 * `--ports` and `--data-dir` put them elsewhere: of each server, the port for clients and the one for other servers.
 */
const { values } = parseArgs({
  options: {
    ports: { type: 'string', default: '8008,8448,8009,8449' },
    'data-dir': { type: 'string', default: 'data/dev' },
  },
});
const folder = join(import.meta.dirname, '..', values['data-dir']);
const ports = values.ports.split(',').map(Number);
const [clientPort = 8008, serverPort = 8448, neighbourClientPort = 8009, neighbourServerPort = 8449] = ports;

for (const port of ports) {
  if (!(await isTaken(port))) continue;
  console.error(`Another program listens on port ${port}. Stop it, or choose others: npm run dev -- --ports 1,2,3,4`);
  process.exit(1);
}

mkdirSync(folder, { recursive: true });
const authority = createTestAuthority();
const caFile = join(folder, 'ca.pem');
writeFileSync(caFile, authority.certificate);
const common = { caFile, certified: authority.issue(['localhost', '127.0.0.1']) };
// 8448 is where servers look for one whose name has no port.
const serverName = serverPort === 8448 ? 'localhost' : `localhost:${serverPort}`;
const servers = [
  startDevServer({ ...common, serverName, dataDir: folder, clientPort, serverPort }),
  startDevServer({
    ...common,
    serverName: `localhost:${neighbourServerPort}`,
    dataDir: join(folder, 'neighbour'),
    clientPort: neighbourClientPort,
    serverPort: neighbourServerPort,
  }),
];
const stop = (): void => {
  for (const server of servers) server.stop();
};
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);
// Neither goes on alone.
const ended = Promise.all(
  servers.map(async (server) => {
    const code = await server.ended;
    stop();
    return code;
  }),
);

async function fill(): Promise<void> {
  const ready = await Promise.all(servers.map((server) => server.ready));
  const [first, second] = servers;
  if (first === undefined || second === undefined || !ready.every(Boolean)) return;
  const people = await populate(first.baseUrl);
  const across = await meet(first, second);
  console.log(
    `\nLog in at ${first.baseUrl} as ${people.names.join(', ')}, or at ${second.baseUrl} as ${across.neighbour}, ` +
      `each with the password "${people.password}". They meet in ${across.alias}.`,
  );
}

try {
  await fill();
} catch (error) {
  console.error(error);
  stop();
  await ended;
  process.exit(1);
}
process.exitCode = Math.max(...(await ended));
