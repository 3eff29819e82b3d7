import { dirname } from 'node:path';
import type { ServerName, SigningKey } from '@portico/protocol';
import type { Config } from '../../config/config.ts';
import type { SmtpTransport } from '../mail/smtp-transport.ts';
import { checkCertificates } from './check-certificates.ts';
import { checkClock, type OtherClock } from './check-clock.ts';
import { checkDatabase } from './check-database.ts';
import { checkDisk } from './check-disk.ts';
import { checkFolder } from './check-folder.ts';
import { checkReach, type Looker } from './check-reach.ts';
import { checkSettings } from './check-settings.ts';
import { fail, type Finding, ok, reasonOf, warn } from './finding.ts';

export type Patient = {
  readonly config: Config;
  readonly serverName: ServerName;
  readonly keyFile: string;
  readonly readKey: (file: string) => SigningKey;
  /** Whether a server runs on the data folder, or something else holds it. */
  readonly state: 'running' | 'held' | 'stopped';
  readonly userId: number | undefined;
  readonly mail: Pick<SmtpTransport, 'verify'> | undefined;
  readonly asMyself: Looker;
  readonly asOthers: Looker;
  readonly askClocks: () => Promise<readonly OtherClock[]>;
  readonly now: () => number;
};

/** Looks at everything that a server needs, in the order in which one would; changes nothing. */
export async function* examine(patient: Patient): AsyncGenerator<Finding, void, undefined> {
  const { config, state, keyFile, readKey, now } = patient;
  const { database, dataDir } = config;
  const isRunning = state === 'running';
  yield* checkSettings(config);
  yield describeState(state);
  yield* checkFolder({ dataDir, keyFile, readKey, userId: patient.userId });
  yield* await checkDisk([dataDir, ...(database.kind === 'sqlite' ? [dirname(database.path)] : [])]);
  yield* await checkDatabase({ database, isRunning: state !== 'stopped', now });
  yield await checkClock(await patient.askClocks());
  yield* checkCertificates(config, now());
  if (patient.mail !== undefined) yield await checkMail(patient.mail);
  if (!isRunning) {
    yield warn('reach', 'not looked at, since the server does not run', 'Start it, and ask again.');
    return;
  }
  const { keyId, publicKey } = readKey(keyFile);
  yield* await checkReach({ ...patient, keyId, publicKey });
}

function describeState(state: Patient['state']): Finding {
  if (state === 'running') return ok('server', 'runs, and answers commands');
  if (state === 'stopped')
    return warn('server', 'does not run', 'Start it: portico serve, or systemctl start portico.');
  const advice = 'If it does not come up, look at its log; if nothing runs, another user may have started it.';
  return warn(
    'server',
    'something holds the data folder, and answers no commands: it starts, or a command runs',
    advice,
  );
}

async function checkMail(mail: Pick<SmtpTransport, 'verify'>): Promise<Finding> {
  try {
    await mail.verify();
    return ok('mail', 'the SMTP server lets this one in');
  } catch (error) {
    return fail('mail', reasonOf(error), 'Look at the section mail of the configuration.');
  }
}
