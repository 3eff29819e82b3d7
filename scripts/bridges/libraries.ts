import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const pythonPackages = [
  'mautrix[encryption]==0.21.1',
  'aiosqlite==0.22.1',
  'asyncpg==0.32.0',
  'ruamel.yaml==0.19.1',
  'commonmark==0.9.2',
];
const nodePackage = 'matrix-appservice@3.0.0';

export type Libraries = {
  /** A Python that has mautrix, with its encryption. */
  readonly python: string | undefined;
  /** A folder in which Node.js finds matrix-appservice. */
  readonly appservice: string | undefined;
};

function runs(command: string, args: readonly string[], quietly = false): boolean {
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', quietly ? 'ignore' : 'inherit'] }).status === 0;
}

/** What of the bridges' libraries is in a folder, after it has been put there if that was asked for. */
export function findLibraries(folder: string, install: boolean): Libraries {
  const [venv, appservice] = [join(folder, 'venv'), join(folder, 'npm')];
  const python = join(venv, 'bin/python');
  const hasMautrix = (): boolean =>
    existsSync(python) && runs(python, ['-c', 'import aiosqlite, asyncpg, mautrix.bridge.e2ee, olm'], true);
  const hasAppservice = (): boolean => existsSync(join(appservice, 'node_modules/matrix-appservice'));
  if (install && !hasMautrix() && runs('python3', ['-m', 'venv', venv])) {
    runs(python, ['-m', 'pip', 'install', '--quiet', ...pythonPackages]);
  }
  if (install && !hasAppservice()) {
    mkdirSync(appservice, { recursive: true });
    const options = ['--prefix', appservice, '--no-save', '--no-audit', '--no-fund'];
    runs('npm', ['install', ...options, nodePackage]);
  }
  return {
    python: hasMautrix() ? python : undefined,
    appservice: hasAppservice() ? appservice : undefined,
  };
}
