import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Logger } from '../observability/logger.ts';

/** How long telling may take, in milliseconds. */
const patience = 5000;

/**
 * Tells systemd that the server is ready. "These functions send a single datagram with the state string as payload to the
 * socket referenced in the $NOTIFY_SOCKET environment variable" (sd_notify(3)): Node has no such datagrams, and systemd comes
 * with a program for them.
 */
export async function tellSystemdReady(log: Logger, program = 'systemd-notify'): Promise<void> {
  try {
    await promisify(execFile)(program, ['--ready'], { timeout: patience });
  } catch (error) {
    log.warn(
      { error },
      'systemd could not be told that the server is ready: its unit needs NotifyAccess=all, or Type=simple',
    );
  }
}
