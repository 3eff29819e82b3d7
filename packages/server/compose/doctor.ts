import { existsSync } from 'node:fs';
import { parseServerName, signingKeyFromSeed, splitServerName } from '@portico/protocol';
import type { Config } from '../config/config.ts';
import { callRunningServer } from '../process/command-client.ts';
import { lockFolder } from '../process/folder-lock.ts';
import { readSigningKey, signingKeyFile } from '../process/signing-key.ts';
import { StartError } from '../process/start-error.ts';
import type { OtherClock } from '../services/doctor/check-clock.ts';
import type { Looker } from '../services/doctor/check-reach.ts';
import { examine } from '../services/doctor/doctor.ts';
import type { Finding } from '../services/doctor/finding.ts';
import { createDiscovery } from '../services/federation/discovery/discovery.ts';
import { createSmtpTransport } from '../services/mail/smtp-transport.ts';
import { createSystemNetwork } from '../services/outbound/network.ts';
import { createOutbound } from '../services/outbound/outbound.ts';
import { inspectDatabase } from '@portico/storage/inspect.ts';
import { program } from './federation.ts';

/** Looks at a server from outside: the program itself is not opened. */
export async function* doctor(config: Config): AsyncGenerator<Finding, void, undefined> {
  const serverName = parseServerName(config.serverName);
  if (serverName === undefined) throw new Error(`${config.serverName} passed for a server name in the configuration`);
  const asMyself = createLooker(config, true);
  const asOthers = createLooker(config, config.outbound.allowPrivateAddresses);
  const mail =
    config.smtp &&
    createSmtpTransport({
      smtp: config.smtp,
      ownName: splitServerName(serverName)?.host ?? serverName,
      trustedCaFile: config.outbound.trustedCaFile,
    });
  try {
    yield* examine({
      config,
      serverName,
      keyFile: signingKeyFile(config.dataDir),
      readKey(file) {
        const { version, seed } = readSigningKey(file);
        return signingKeyFromSeed(`ed25519:${version}`, seed);
      },
      state: await findState(config.dataDir),
      userId: process.getuid?.(),
      mail,
      asMyself,
      asOthers,
      askClocks: () => askClocks(config, asMyself),
      now: Date.now,
    });
  } finally {
    mail?.close();
    await Promise.all([asMyself.outbound.close(), asOthers.outbound.close()]);
  }
}

function createLooker(config: Config, allowPrivateAddresses: boolean): Looker {
  const network = createSystemNetwork();
  const outbound = createOutbound({
    network,
    allowPrivateAddresses,
    trustedCaFile: config.outbound.trustedCaFile,
    userAgent: `${program.name}/${program.version}`,
  });
  return {
    outbound,
    discovery: createDiscovery({ network, outbound, now: Date.now, random: Math.random }),
  };
}

async function findState(dataDir: string): Promise<'running' | 'held' | 'stopped'> {
  if (!existsSync(dataDir)) return 'stopped';
  const reply = await callRunningServer(dataDir, 'status', {});
  if (reply.kind !== 'no-server') return 'running';
  try {
    lockFolder(dataDir)();
    return 'stopped';
  } catch (error) {
    if (error instanceof StartError) return 'held';
    throw error;
  }
}

/** The database server's, and that of the first server whose word on keys is trusted: nobody else is told that somebody asks. */
async function askClocks(config: Config, { discovery, outbound }: Looker): Promise<readonly OtherClock[]> {
  const { database, federation } = config;
  const fromDatabase = async (): Promise<OtherClock[]> => {
    if (database.kind !== 'postgres') return [];
    const { clockAhead, close } = await inspectDatabase({ url: database.url, now: Date.now, inUse: true });
    await close();
    return [{ name: 'the database', ahead: clockAhead }];
  };
  const fromNotary = async (): Promise<OtherClock[]> => {
    const [notary] = federation.enabled ? federation.notaries : [];
    if (notary === undefined) return [];
    const route = await discovery.findRoute(notary);
    const asked = Date.now();
    const { headers } = await outbound.request({
      route,
      method: 'GET',
      path: '/_matrix/key/v2/server',
      answerLimit: 64 * 1024,
      timeout: 10_000,
      purpose: 'doctor',
      once: true,
    });
    const date = typeof headers['date'] === 'string' ? Date.parse(headers['date']) : Number.NaN;
    return Number.isNaN(date) ? [] : [{ name: notary, ahead: date - (asked + Date.now()) / 2 }];
  };
  const answers = await Promise.allSettled([fromDatabase(), fromNotary()]);
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
}
