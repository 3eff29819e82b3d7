import { backupCommands } from './cli/backup-commands.ts';
import { checkConfig } from './cli/check-config.ts';
import { doctor } from './cli/doctor.ts';
import { init } from './cli/init.ts';
import { runCommandLine } from './cli/run.ts';
import { serve } from './cli/serve.ts';
import { tokenCommands } from './cli/token-commands.ts';
import { userCommands } from './cli/user-commands.ts';
import { userAdd } from './cli/user-add.ts';
import type { Config } from './config/config.ts';

// Keys, messages and settings are their owner's alone, also in a folder that was made open to others.
process.umask(0o077);

const loadCompose = async () => (await import('./compose.ts')).compose;

const loadOperate = () => import('./compose/operate.ts');

async function openHandlers(config: Config) {
  const { createLogger } = await import('./observability/logger.ts');
  const { openForCommand } = await import('./process/start-server.ts');
  const log = await createLogger({ ...config.log, level: 'error' }, { fd: 2, isTerminal: process.stderr.isTTY });
  return openForCommand(config, await loadCompose(), log);
}

const commands = [
  serve(loadCompose),
  init,
  checkConfig,
  userAdd(openHandlers),
  ...userCommands(openHandlers),
  ...tokenCommands(openHandlers),
  ...backupCommands(loadOperate),
  doctor(loadOperate),
];

// `exit`, since a connection that nobody needs any more must not keep the process.
process.exit(
  await runCommandLine(commands, process.argv.slice(2), {
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
  }),
);
