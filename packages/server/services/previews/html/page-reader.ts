import { Worker } from 'node:worker_threads';
import type { WatchCache } from '../../../observability/cache-metrics.ts';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { createWorkQueue } from '../../work-queue.ts';
import type { PagePreview } from './open-graph.ts';

export type ToPageThread = {
  readonly bytes: Uint8Array;
  readonly contentType: string | undefined;
  readonly address: string;
};
export type FromPageThread = PagePreview;

export interface PageReader {
  /** Throws `preview.failed` where the page takes too long or too much memory, `server.overloaded` if too many wait. */
  read(page: ToPageThread): Promise<PagePreview>;
  close(): Promise<void>;
}

type Options = {
  readonly log: { debug(details: object, message: string): void };
  /** Milliseconds for one page. */
  readonly timeout?: number;
  /** The module that the thread runs. */
  readonly thread?: URL;
  readonly watch?: WatchCache | undefined;
};

const defaultTimeout = 5000;
const idleMilliseconds = 30_000;
const mostWaiting = 200;
/** A page is a few megabytes at most; what is made of it is a few kilobytes. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16, stackSizeMb: 1 };

/**
 * Reads pages on a thread of its own, one after the other: pages come from anybody, and whatever one does to its reader,
 * that is ended after a while. The thread is started by the first page, and ended when none came for a time.
 */
export function createPageReader(options: Options): PageReader {
  const { log, timeout = defaultTimeout, thread = new URL('./page-thread.ts', import.meta.url), watch } = options;
  const queue = createWorkQueue({ concurrency: 1, mostWaiting });
  let worker: Worker | undefined;
  let idleTimer: NodeJS.Timeout | undefined;
  watch?.('preview_pages', { size: () => queue.size, limit: () => mostWaiting });

  const stop = async () => {
    clearTimeout(idleTimer);
    const stopping = worker;
    worker = undefined;
    await stopping?.terminate();
  };

  const start = (): Worker => {
    const started = new Worker(thread, { resourceLimits, execArgv: [] });
    started.on('error', () => undefined);
    started.on('exit', () => {
      if (worker === started) worker = undefined;
    });
    return started;
  };

  async function readNow(page: ToPageThread): Promise<PagePreview> {
    clearTimeout(idleTimer);
    const reader = (worker ??= start());
    const { promise, resolve, reject } = Promise.withResolvers<PagePreview>();
    const end = (reason: string) => {
      log.debug({ reason }, 'A page could not be read');
      reject(new MatrixError('preview.failed'));
    };
    const timer = setTimeout(() => end('takes too long'), timeout);
    const onError = (error: unknown) => end(error instanceof Error ? error.message : String(error));
    const onExit = () => end('ended the thread');
    reader.once('message', resolve).once('error', onError).once('exit', onExit);
    try {
      reader.postMessage(page);
      return await promise;
    } catch (error) {
      await stop();
      throw error;
    } finally {
      clearTimeout(timer);
      reader.off('message', resolve).off('error', onError).off('exit', onExit);
      if (worker !== undefined) idleTimer = setTimeout(() => void stop(), idleMilliseconds).unref();
    }
  }

  return {
    read: (page) => queue.run(() => readNow(page)),
    async close() {
      await queue.close();
      await stop();
    },
  };
}
