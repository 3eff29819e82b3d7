import { Worker } from 'node:worker_threads';
import type { StorageLog } from '../options.ts';
import { createEncoder, type Encoder, type FromWriter, type ToWriter, type WriterSettings } from './protocol.ts';

export type WriterThread = {
  readonly encoder: Encoder;
  readonly post: (message: ToWriter) => void;
};

/** The thread that owns the connection for writes, with another one in its place when it ends. */
export type KeptThread = {
  /** `undefined` while there is none. */
  readonly current: () => WriterThread | undefined;
  readonly close: () => Promise<void>;
};

type Options = {
  readonly settings: WriterSettings;
  readonly log: StorageLog;
  readonly onMessage: (message: FromWriter) => void;
  /** The thread has ended, and with it what it was doing. */
  readonly onEnd: (cause: unknown) => void;
};

type Spawned = WriterThread & { readonly worker: Worker; alive: boolean };

/** Milliseconds. */
const firstRespawn = 100;
const longestRespawn = 5000;

export function createKeptThread({ settings, log, onMessage, onEnd }: Options): KeptThread {
  let thread: Spawned | undefined;
  let closing = false;
  let respawnAfter = firstRespawn;
  let whenClosed: (() => void) | undefined;

  const hear = (message: FromWriter) => {
    if (message[0] === 'ready') respawnAfter = firstRespawn;
    if (message[0] === 'closed') whenClosed?.();
    else onMessage(message);
  };

  const end = (ended: Spawned, cause: unknown) => {
    if (!ended.alive) return;
    ended.alive = false;
    thread = undefined;
    if (closing) {
      whenClosed?.();
      return;
    }
    log('error', 'The database writer thread ended; it is started again', { error: cause });
    onEnd(cause);
    setTimeout(spawn, respawnAfter);
    respawnAfter = Math.min(respawnAfter * 2, longestRespawn);
  };

  const spawn = () => {
    if (closing) return;
    const worker = new Worker(new URL('./writer-thread.ts', import.meta.url), { workerData: settings, execArgv: [] });
    const post = (message: ToWriter) => worker.postMessage(message);
    const spawned: Spawned = { worker, encoder: createEncoder(), post, alive: true };
    worker.on('message', hear);
    worker.on('error', (error) => end(spawned, error));
    worker.on('exit', () => end(spawned, undefined));
    thread = spawned;
  };
  spawn();

  return {
    current: () => thread,
    async close() {
      closing = true;
      if (thread === undefined) return;
      const { worker, post } = thread;
      await new Promise<void>((resolve) => {
        whenClosed = resolve;
        post('close');
      });
      await worker.terminate();
    },
  };
}
