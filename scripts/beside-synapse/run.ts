import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '../../packages/testkit/certificates.ts';
import { freePort, startServerProcess } from '../../packages/testkit/server-process.ts';
import { whySynapseIsMissing } from '../compare-with-synapse/synapse-process.ts';
import { enter } from '../dev/client.ts';
import { liveInRoom, lookAcross } from './scenario.ts';
import { startSynapse } from './synapse-server.ts';

/*
 * Lets Portico and Synapse federate on loopback, with a certificate authority of their own, and does in every direction and
 * room version what people do. Exits 0 where there is no Synapse, and says so.
 *
 *     PORTICO_SYNAPSE_PYTHON=/path/to/python node scripts/beside-synapse/run.ts [room version …]
 */
const python = process.env['PORTICO_SYNAPSE_PYTHON'] ?? 'python3';
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['6', '7', '8', '9', '10', '11', '12'];

const missing = whySynapseIsMissing();
if (missing !== undefined) console.log(`Skipped: ${missing}`);
else {
  process.exitCode = (await run()) ? 0 : 1;
}

async function run(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-beside-'));
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  const certified = authority.issue(['localhost', '127.0.0.1']);
  const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.certificate, certified.certificate);
  writeFileSync(tls.key, certified.key, { mode: 0o600 });
  const [synapseClient, synapseServer, porticoClient, porticoServer] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const synapse = await startSynapse({
    python,
    folder: join(folder, 'synapse'),
    clientPort: synapseClient,
    serverPort: synapseServer,
    caFile,
    certified,
  });
  const porticoName = `localhost:${porticoServer}`;
  const portico = await startServerProcess({
    dataDir: join(folder, 'portico'),
    port: porticoClient,
    settings: {
      SERVER_NAME: porticoName,
      LISTENERS: JSON.stringify([
        { address: '127.0.0.1', port: porticoClient, serve: ['client', 'admin'] },
        { address: '127.0.0.1', port: porticoServer, serve: ['federation', 'client'], tls },
      ]),
      ROOMS_PUBLICATION: 'anyone',
      OUTBOUND_TRUSTED_CA_FILE: caFile,
      OUTBOUND_ALLOW_PRIVATE_ADDRESSES: 'true',
    },
  }).catch(async (error: unknown) => {
    await synapse.stop();
    throw error;
  });
  let good = true;
  try {
    const [{ person: ours }, { person: theirs }] = await Promise.all([
      enter(portico.baseUrl, 'pia', 'beside'),
      enter(synapse.baseUrl, 'sam', 'beside'),
    ]);
    const step = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
        console.log(`✔ ${what}`);
      } catch (error) {
        good = false;
        console.log(`✖ ${what}\n`, error);
      }
    };
    await step('Portico looks at Synapse', () => lookAcross(ours, theirs, synapse.serverName));
    await step('Synapse looks at Portico', () => lookAcross(theirs, ours, porticoName));
    for (const version of versions) {
      await step(`version ${version}: a room on Portico`, () => liveInRoom(ours, theirs, porticoName, version));
      await step(`version ${version}: a room on Synapse`, () => liveInRoom(theirs, ours, synapse.serverName, version));
    }
    if (!good) console.log(portico.output());
  } finally {
    portico.signal('SIGTERM');
    await Promise.all([synapse.stop(), portico.ended]);
    if (good) rmSync(folder, { recursive: true, force: true });
    else console.log(`What they wrote is in ${folder}.`);
  }
  return good;
}
