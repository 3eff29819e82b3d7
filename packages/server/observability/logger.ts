import { pino, stdSerializers } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { withoutControls } from './control-characters.ts';
import { redactSecrets } from './redact.ts';

export type { Logger } from 'pino';

/** Bytes of log that may wait for a reader that has stopped reading; beyond them, lines are dropped. */
const longestBacklog = 8 * 1024 * 1024;

/** The log of the program, on standard output; no line has secrets or control characters, whoever wrote it. */
export async function createLogger(
  { level, format }: Config['log'],
  output: { fd: number; isTerminal: boolean } = { fd: 1, isTerminal: process.stdout.isTTY },
): Promise<Logger> {
  const isPretty = (format ?? (output.isTerminal ? 'pretty' : 'json')) === 'pretty';
  return makeLogger(level, isPretty ? await prettyStream(output) : plainStream(output.fd));
}

function makeLogger(level: Config['log']['level'], stream: DestinationStream): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      serializers: { error: stdSerializers.err },
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => withoutControls(redactSecrets(line)) },
    },
    stream,
  );
}

function plainStream(fd: number): DestinationStream {
  return pino.destination({ fd, sync: false, maxLength: longestBacklog });
}

// Loaded only where a person reads along.
async function prettyStream({ fd, isTerminal }: { fd: number; isTerminal: boolean }): Promise<DestinationStream> {
  const { PinoPretty } = await import('pino-pretty');
  return PinoPretty({ colorize: isTerminal, translateTime: 'SYS:HH:MM:ss.l', destination: plainStream(fd) });
}
