import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '../../packages/testkit/certificates.ts';
import { freePort, startServerProcess } from '../../packages/testkit/server-process.ts';
import { whySynapseIsMissing } from '../compare-with-synapse/synapse-process.ts';
import { enter } from '../dev/client.ts';
import { missNothing } from './absence.ts';
import { followPeople, moveAround } from './around-rooms.ts';
import { meetDevices } from './between-devices.ts';
import { liveInRoom, lookAcross, type Without } from './scenario.ts';
import { startDendrite } from './dendrite-server.ts';
import { talkEncrypted } from './encrypted.ts';
import type { OtherServer, OtherServerOptions } from './other-server.ts';
import { startSynapse } from './synapse-server.ts';

/*
 * Lets Portico and a server of others federate on loopback, with a certificate authority of their own, and does in every
 * direction and room version what people do. Skips those that are not there, and says so.
 *
 *     PORTICO_SYNAPSE_PYTHON=/path/to/python PORTICO_DENDRITE=/folder/of/programs node scripts/beside/run.ts [room version …]
 */
const python = process.env['PORTICO_SYNAPSE_PYTHON'] ?? 'python3';
const programs = process.env['PORTICO_DENDRITE'];
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['6', '7', '8', '9', '10', '11', '12'];

/**
 * It has neither knocking nor events by time, looks for what is redacted where it stood before version 11, and sends stripped state
 * with invitations in version 12.
 */
const ofDendrite: Known = {
  knows: { knocking: false, times: false },
  asGuest: (version) => (version >= 11 ? { guestRedacts: false } : {}),
  asHost: (version) => (version >= 12 ? { hostInvites: false } : {}),
};

let isGood = true;
const missing = whySynapseIsMissing();
if (missing !== undefined) console.log(`Synapse is skipped: ${missing}`);
else isGood = (await run('Synapse', (options) => startSynapse({ python, ...options }))) && isGood;
if (programs === undefined) console.log('Dendrite is skipped: PORTICO_DENDRITE does not say where its programs are.');
else isGood = (await run('Dendrite', (options) => startDendrite({ programs, ...options }), ofDendrite)) && isGood;
process.exitCode = isGood ? 0 : 1;

type Known = {
  readonly knows: { readonly knocking: boolean; readonly times: boolean };
  readonly asGuest: (version: number) => Without;
  readonly asHost: (version: number) => Without;
};

async function run(
  name: string,
  start: (options: OtherServerOptions) => Promise<OtherServer>,
  known?: Known,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-beside-'));
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  const certified = authority.issue(['localhost', '127.0.0.1']);
  const tls = { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(tls.certificate, certified.certificate);
  writeFileSync(tls.key, certified.key, { mode: 0o600 });
  const [clientPort, serverPort, porticoClient, porticoServer] = await Promise.all([
    freePort(),
    freePort(),
    freePort(),
    freePort(),
  ]);
  const other = await start({ folder: join(folder, 'other'), clientPort, serverPort, caFile, certified });
  const porticoName = `localhost:${porticoServer}`;
  const startPortico = () =>
    startServerProcess({
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
    });
  let portico = await startPortico().catch(async (error: unknown) => {
    await other.stop();
    throw error;
  });
  let good = true;
  const knows = known?.knows ?? { knocking: true, times: true };
  try {
    const [{ person: ours }, { person: theirs }] = await Promise.all([
      enter(portico.baseUrl, 'pia', 'side by side'),
      enter(other.baseUrl, 'sam', 'side by side'),
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
    await step(`Portico looks at ${name}`, () => lookAcross(ours, theirs, other.serverName));
    await step(`${name} looks at Portico`, () => lookAcross(theirs, ours, porticoName));
    await step('devices, in a room on Portico', () => meetDevices(ours, theirs));
    await step(`devices, in a room on ${name}`, () => meetDevices(theirs, ours));
    await step('encrypted, from Portico', () => talkEncrypted(portico.baseUrl, other.baseUrl, 'a'));
    await step(`encrypted, from ${name}`, () => talkEncrypted(other.baseUrl, portico.baseUrl, 'b'));
    await step('people, seen from Portico and back', () => followPeople(ours, theirs));
    await step('rooms of Portico', () => moveAround(ours, theirs, { hostServer: porticoName, knows }));
    await step(`rooms of ${name}`, () => moveAround(theirs, ours, { hostServer: other.serverName, knows }));
    const absence = {
      async stop() {
        portico.signal('SIGKILL');
        await portico.ended;
      },
      start: async () => (portico = await startPortico()),
    };
    await step('Portico was away', () => missNothing(theirs, ours, absence));
    for (const version of versions) {
      const [asGuest, asHost] = [known?.asGuest(Number(version)), known?.asHost(Number(version))];
      await step(`version ${version}: a room on Portico`, () =>
        liveInRoom(ours, theirs, porticoName, version, asGuest),
      );
      await step(`version ${version}: a room on ${name}`, () =>
        liveInRoom(theirs, ours, other.serverName, version, asHost),
      );
    }
    if (!good) console.log(portico.output());
  } finally {
    portico.signal('SIGTERM');
    await Promise.all([other.stop(), portico.ended]);
    if (good) rmSync(folder, { recursive: true, force: true });
    else console.log(`What they wrote is in ${folder}.`);
  }
  return good;
}
