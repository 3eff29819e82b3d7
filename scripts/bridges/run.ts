import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, type ServerProcess, startServerProcess } from '../../packages/testkit/server-process.ts';
import { createPeople } from '../../tests/clients/person.ts';
import { enter } from '../dev/client.ts';
import { type Bridge, type BridgeOptions, createBridge } from './bridge-process.ts';
import { bridgeEncrypted } from './encrypted-scenario.ts';
import { findLibraries, type Libraries } from './libraries.ts';
import { bridgePlainly, type Restartable, type Step } from './scenario.ts';

/*
 * Whether bridges get on with the server: small ones on mautrix-python and on matrix-appservice, while the server and the
 * bridges end and come back.
 *
 *     node scripts/bridges/run.ts --install FOLDER     puts their libraries there, from PyPI and npm, and uses them
 *     node scripts/bridges/run.ts --libraries FOLDER   uses what is there
 *
 * Names of bridges behind that, or parts of them, choose some of them: matrix-appservice, mautrix-device, mautrix-login,
 * mautrix-sync. A bridge whose library is not there is skipped, and that is said.
 */
const { values, positionals: wanted } = parseArgs({
  options: { install: { type: 'string' }, libraries: { type: 'string' } },
  allowPositionals: true,
});
const libraries: Libraries = findLibraries(
  resolve(values.install ?? values.libraries ?? 'bridge-libraries'),
  values.install !== undefined,
);
if (libraries.python === undefined) console.log('Skipped: there is no Python with mautrix[encryption] and aiosqlite.');
if (libraries.appservice === undefined) console.log('Skipped: there is no matrix-appservice.');
if (libraries.python !== undefined || libraries.appservice !== undefined) process.exitCode = (await run()) ? 0 : 1;

async function makeBridges(folder: string, homeserver: string): Promise<Bridge[]> {
  const optionsOf = async (encryption: BridgeOptions['encryption'], library = ''): Promise<BridgeOptions> => ({
    id: encryption === 'none' ? 'matrix-appservice' : `mautrix-${encryption}`,
    homeserver,
    domain: 'localhost',
    port: await freePort(),
    asToken: randomBytes(16).toString('hex'),
    hsToken: randomBytes(16).toString('hex'),
    bot: `${encryption}bot`,
    prefix: `_${encryption}_`,
    encryption,
    folder: join(folder, encryption),
    file: join(folder, `${encryption}.yaml`),
    library,
  });
  const bridges: Bridge[] = [];
  if (libraries.appservice !== undefined) {
    const command = [process.execPath, join(import.meta.dirname, 'appservice-bridge.ts')] as const;
    bridges.push(createBridge(command, await optionsOf('none', libraries.appservice)));
  }
  for (const encryption of libraries.python === undefined ? [] : (['device', 'login', 'sync'] as const)) {
    const command = [libraries.python ?? '', join(import.meta.dirname, 'mautrix_bridge.py')] as const;
    bridges.push(createBridge(command, await optionsOf(encryption)));
  }
  return bridges;
}

/** A server whose process ends and comes back on the same data, at the same port. */
function restartable(dataDir: string, port: number, files: readonly string[]): Restartable & { output(): string } {
  let running: ServerProcess | undefined;
  return {
    output: () => running?.output() ?? '',
    async start() {
      const settings = { APPLICATION_SERVICES: JSON.stringify(files) };
      running = await startServerProcess({ dataDir, port, settings });
    },
    async end(signal) {
      running?.signal(signal);
      await running?.ended;
    },
  };
}

async function run(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-bridges-'));
  const port = await freePort();
  const baseUrl = `http://127.0.0.1:${port}`;
  const bridges = await makeBridges(folder, baseUrl);
  const files = bridges.map(({ options }) => options.file);
  const server = restartable(join(folder, 'portico'), port, files);
  const people = createPeople(() => baseUrl);
  let good = true;
  try {
    await server.start();
    const { person: alice } = await enter(baseUrl, 'alice', 'bridges');
    for (const bridge of bridges) {
      const { id, encryption } = bridge.options;
      if (wanted.length > 0 && !wanted.some((name) => id.includes(name))) continue;
      const step: Step = async (what, work) => {
        try {
          await work();
          console.log(`✔ ${id}: ${what}`);
        } catch (error) {
          good = false;
          console.log(`✖ ${id}: ${what}\n`, error);
        }
      };
      await step('it starts', bridge.start);
      // Keys are another matter than messages: once is enough for those.
      if (encryption === 'none' || encryption === 'device') await bridgePlainly(bridge, alice, server, step);
      if (encryption !== 'none') await bridgeEncrypted(bridge, people, server, step);
      await bridge.stop();
    }
    if (!good) console.log(server.output());
  } finally {
    people.stopAll();
    await Promise.all(bridges.map((bridge) => bridge.stop()));
    await server.end('SIGTERM');
    if (good) rmSync(folder, { recursive: true, force: true });
    else console.log(`What they wrote is in ${folder}.`);
  }
  return good;
}
