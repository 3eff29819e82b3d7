import { logger, type Logger } from 'matrix-js-sdk/lib/logger.js';

function ignore(): void {}

/** For clients that are made with a logger. */
export const silent: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
  getChild: () => silent,
};

// Parts of the client write to this one whatever they are given, and take functions of it while they are loaded: this
// module is evaluated before them.
Object.assign(logger, silent, { log: ignore });

/** In milliseconds. The client leaves a timer of 15 seconds or more behind each request, which no test waits for. */
const longDelay = 15_000;

const { setTimeout } = globalThis;

function setLightTimeout(...args: Parameters<typeof setTimeout>): NodeJS.Timeout {
  const timer = setTimeout(...args);
  return (args[1] ?? 0) >= longDelay ? timer.unref() : timer;
}

globalThis.setTimeout = Object.assign(setLightTimeout, setTimeout);
