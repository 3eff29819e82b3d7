import { dirname, resolve } from 'node:path';
import type { Registration } from './application-services/registration.ts';
import type { Config } from './config.ts';
import { checkListeners, completeConfig } from './complete.ts';
import { readIdentityProviders, secretFiles } from './identity-providers.ts';
import { readMail } from './mail.ts';
import { mergeRaw, readEnvironment, readFlags } from './overrides.ts';
import type { Problem } from './raw.ts';
import { emptyMapping } from './raw.ts';
import { resolveSection } from './resolve.ts';
import { schema } from './schema.ts';
import type { ValuesOf } from './setting.ts';
import { readTesting } from './testing.ts';

export type ConfigSources = {
  /** The configuration file; without one, paths start from the current directory. */
  readonly file?: string | undefined;
  /** Settings given as flags of the command, by flag name without the dashes. */
  readonly flags?: ReadonlyMap<string, string>;
  readonly environment?: Readonly<Record<string, string | undefined>>;
};

/** All that is wrong with a configuration, a line for each problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Reads the configuration: the command line wins over the environment, the environment over the file. */
export async function loadConfig({ file, flags, environment = process.env }: ConfigSources): Promise<Config> {
  const problems: Problem[] = [];
  const inFile = file === undefined ? emptyMapping('the defaults') : await readFile(file, problems);
  const overrides = [readEnvironment(schema, environment, problems), readFlags(schema, flags ?? new Map(), problems)];
  const raw = overrides.reduce((under, over) => mergeRaw(schema, under, over), inFile);
  const base = file === undefined ? process.cwd() : dirname(resolve(file));
  const values = resolveSection(schema, raw, { base, problems }) as ValuesOf<typeof schema>;
  if (problems.length === 0) checkListeners(values.listeners, raw, problems);
  const smtp = problems.length === 0 ? readMail(values, raw, problems) : undefined;
  const identityProviders = problems.length === 0 ? readIdentityProviders(values, raw, problems) : [];
  const services =
    problems.length === 0 ? await readApplicationServices(values, problems) : { registrations: [], files: [] };
  if (problems.length > 0) throw new ConfigError(problems.map(({ origin, message }) => `${origin}: ${message}`));
  const testing = readTesting(environment);
  return completeConfig(values, {
    file: file && resolve(file),
    testing,
    applicationServices: services.registrations,
    smtp,
    identityProviders,
    files: [
      file && resolve(file),
      ...services.files,
      ...secretFiles(values),
      values.mail.passwordFile,
      values.outbound.trustedCaFile,
    ].filter((path) => path !== undefined),
  });
}

// Most servers have no bridges, and need not load what reads their files.
async function readApplicationServices(
  { applicationServices: paths, serverName }: ValuesOf<typeof schema>,
  problems: Problem[],
): Promise<{ readonly registrations: readonly Registration[]; readonly files: readonly string[] }> {
  if (paths.length === 0) return { registrations: [], files: [] };
  const { readRegistrations, registrationFiles } = await import('./application-services/read-registrations.ts');
  const files = registrationFiles(paths);
  return { registrations: readRegistrations(files, serverName, problems), files };
}

// The YAML parser takes longer to load than everything else here, and most starts without a file need none.
async function readFile(file: string, problems: Problem[]) {
  const { readConfigFile } = await import('./read-file.ts');
  return readConfigFile(file, problems);
}
