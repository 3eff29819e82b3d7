import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '../../packages/testkit/certificates.ts';
import { freePort } from '../../packages/testkit/server-process.ts';
import { synapseVersion, whySynapseIsMissing } from '../compare-with-synapse/synapse-process.ts';
import { enter, type Person } from '../dev/client.ts';
import { timekeeper } from './clocks.ts';
import { startDendrite } from './dendrite-server.ts';
import type { OtherServer, OtherServerOptions } from './other-server.ts';
import { startPortico } from './portico.ts';
import { openRoute } from './route.ts';
import { type Ways, stepsOf } from './steps.ts';
import { startSynapse } from './synapse-server.ts';

/*
 * Lets Portico and a server of others federate on loopback, with a certificate authority of their own, and does in every
 * direction and room version what people do. Skips those that are not there, and says so.
 *
 *     PORTICO_SYNAPSE_PYTHON=/path/to/python PORTICO_DENDRITE=/folder/of/programs node scripts/beside/run.ts [room version …]
 *
 * Portico has a database of SQLite, and with PORTICO_BESIDE_PROCESSES=3 as many processes on PostgreSQL. PORTICO_BESIDE_STEPS
 * is a regular expression for what to do of it all, and PORTICO_BESIDE_CROWD how many people come to a room at once. Both give
 * media to everybody with PORTICO_BESIDE_OPEN_MEDIA=true, and where the other one knows nothing else.
 */
const python = process.env['PORTICO_SYNAPSE_PYTHON'] ?? 'python3';
const programs = process.env['PORTICO_DENDRITE'];
const processes = Number(process.env['PORTICO_BESIDE_PROCESSES'] ?? 0);
const chosen = new RegExp(process.env['PORTICO_BESIDE_STEPS'] ?? '');
const crowd = Number(process.env['PORTICO_BESIDE_CROWD'] ?? 100);
const wantsOpenMedia = process.env['PORTICO_BESIDE_OPEN_MEDIA'] === 'true';
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['6', '7', '8', '9', '10', '11', '12'];

const ofSynapse: Ways = {
  knows: { knocking: true, times: true, appServices: true },
  erases: true,
  comesBack: true,
  resolves: true,
  sends: {},
  asGuest: () => ({}),
};

/**
 * It has neither knocking nor events by time, looks for what is redacted where it stood before version 11, keeps what people say
 * whose accounts are closed, and fails at the start where it was killed with something left to do. Of what it could not send it keeps 128 in memory, and looks
 * for the rest only when there is something else to send. Where it resolves a state that has no
 * membership of somebody yet, it takes the event in question for what allows it (`authAndApplyEvents` of gomatrixserverlib), and so lets in
 * who came back while others closed the room.
 */
const ofDendrite: Ways = {
  knows: { knocking: false, times: false, appServices: false },
  erases: false,
  comesBack: false,
  resolves: false,
  sends: { mostSent: 128 },
  asGuest: (version) => (version >= 11 ? { guestRedacts: false } : {}),
};

let isGood = true;
const missing = whySynapseIsMissing();
if (missing !== undefined) console.log(`Synapse is skipped: ${missing}`);
else {
  console.log(`Synapse ${synapseVersion()}`);
  // By its address: what a room denies to a server is about its host, and both are on one.
  const start = (options: OtherServerOptions) => startSynapse({ python, host: '127.0.0.1', ...options });
  isGood = (await run('Synapse', start, ofSynapse)) && isGood;
}
if (programs === undefined) console.log('Dendrite is skipped: PORTICO_DENDRITE does not say where its programs are.');
else isGood = (await run('Dendrite', (options) => startDendrite({ programs, ...options }), ofDendrite)) && isGood;
process.exit(isGood ? 0 : 1);

async function run(
  name: string,
  start: (options: OtherServerOptions) => Promise<OtherServer>,
  ways: Ways,
): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'portico-beside-'));
  const authority = createTestAuthority();
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, authority.certificate);
  const certified = authority.issue(['localhost', '127.0.0.1']);
  const appServiceFile = join(folder, 'timekeeper.json');
  writeFileSync(appServiceFile, JSON.stringify(timekeeper));
  const [clientPort, serverPort, listenPort] = [await freePort(), await freePort(), await freePort()];
  const ports = { serverPort: await freePort(), listenPort: await freePort() };
  // To the other one, and to Portico.
  const routes = await Promise.all([
    openRoute({ port: serverPort, to: listenPort }),
    openRoute({ port: ports.serverPort, to: ports.listenPort }),
  ]);
  const common = { caFile, certified, appServiceFile, hasOpenMedia: wantsOpenMedia };
  const other = await start({ folder: join(folder, 'other'), clientPort, serverPort, listenPort, ...common });
  const { person: theirs } = await enter(other.baseUrl, 'sam', 'side by side');
  const known = await versionsOf(theirs);
  const hasOpenMedia = wantsOpenMedia || !(await hasTokensForMedia(other.baseUrl));
  const portico = await startPortico({
    folder: join(folder, 'portico'),
    ...common,
    ...ports,
    hasOpenMedia,
    roomVersion: known.has('12') ? undefined : '11',
    engine: processes > 0 ? 'postgres' : 'sqlite',
    processes: Math.max(processes, 1),
  }).catch(async (error: unknown) => {
    await other.stop();
    throw error;
  });
  let good = true;
  try {
    const { person: ours } = await enter(portico.baseUrl, 'pia', 'side by side');
    const unknown = versions.filter((version) => !known.has(version));
    if (unknown.length > 0) console.log(`Room versions that it does not know: ${unknown.join()}`);
    const shared = versions.filter((version) => known.has(version));
    const steps = stepsOf({
      name,
      portico,
      other,
      ours,
      theirs,
      ways,
      versions: shared,
      crowd,
      hasOpenMedia,
      processes,
      between: {
        cut: () => routes.forEach((route) => route.cut()),
        mend: () => routes.forEach((route) => route.mend()),
      },
    });
    for (const [what, work] of steps.filter(([each]) => chosen.test(each))) {
      const started = performance.now();
      try {
        await work();
        console.log(`✔ ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
      } catch (error) {
        good = false;
        console.log(`✖ ${what}\n`, error);
      }
    }
    if (!good) console.log(portico.output());
  } finally {
    await Promise.all([other.stop(), portico.stop()]);
    await Promise.all(routes.map((route) => route.close()));
    if (good) rmSync(folder, { recursive: true, force: true });
    else console.log(`What they wrote is in ${folder}.`);
  }
  return good;
}

/** Whether it knows that it may take a token to get media, as since version 1.11 of the specification: it wants one here. */
async function hasTokensForMedia(baseUrl: string): Promise<boolean> {
  const { status } = await fetch(`${baseUrl}/_matrix/client/v1/media/config`);
  return status === 401;
}

/** Which room versions somebody's server knows. */
async function versionsOf(person: Person): Promise<ReadonlySet<string>> {
  const { capabilities } = (await person.call('GET', 'capabilities')) as unknown as {
    readonly capabilities: { readonly 'm.room_versions': { readonly available: object } };
  };
  return new Set(Object.keys(capabilities['m.room_versions'].available));
}
