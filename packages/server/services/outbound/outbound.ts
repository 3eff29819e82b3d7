import type { Dispatcher } from 'undici';
import type { WatchCache } from '../../observability/cache-metrics.ts';
import { lazyTrust } from './certificates.ts';
import { createConnector } from './connector.ts';
import type { Network } from './network.ts';
import { OutboundError } from './outbound-error.ts';
import { createPools, defaultPoolLimits, type PoolLimits } from './pools.ts';
import { type AnswerHeaders, checkLength, limited, readAll } from './read-body.ts';
import type { Route } from './route.ts';

export type OutboundRequest = {
  readonly route: Route;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** With the query string. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Bytes of the answer that are read; an answer with more is a failure. */
  readonly answerLimit: number;
  /** Milliseconds from now to the last byte of the answer. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  /** What the metrics call it. One of a few names. */
  readonly purpose: string;
  /** Whether the connection is of no further use: nothing else will be asked there soon. */
  readonly once?: boolean;
};

export type OutboundStream = {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** To be read to its end, or left by `break`, or given to `discard`. */
  readonly chunks: AsyncIterable<Uint8Array>;
  readonly discard: () => void;
};

export type OutboundAnswer = { readonly status: number; readonly headers: AnswerHeaders; readonly body: Buffer };

/**
 * Told about every request: its purpose, and how it ended, as the class of the status (`2xx`) or the failure. A stream has
 * ended when its answer begins.
 */
export type ObserveOutbound = (purpose: string, outcome: string, milliseconds: number) => void;

/** Every request that this server makes goes through here. Rejects with `OutboundError` and nothing else. */
export interface Outbound {
  request(request: OutboundRequest): Promise<OutboundAnswer>;
  /** An answer that is read as it comes. Its chunks fail with `OutboundError`, too. */
  stream(request: OutboundRequest): Promise<OutboundStream>;
  close(): Promise<void>;
}

export type OutboundOptions = {
  readonly network: Network;
  readonly allowPrivateAddresses: boolean;
  readonly trustedCaFile: string | undefined;
  readonly userAgent: string;
  readonly observe?: ObserveOutbound | undefined;
  readonly watch?: WatchCache | undefined;
  readonly limits?: Partial<PoolLimits>;
  readonly connectTimeout?: number;
};

/** Names, connection and handshake, in milliseconds; a request's own time counts as well. */
const defaultConnectTimeout = 10_000;

/** The connection that was kept had been closed by the other end before it got the request. */
function wasClosedBefore(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function toOutboundError(error: unknown, timedOut: boolean, { signal, route }: OutboundRequest): OutboundError {
  if (error instanceof OutboundError) return error;
  if (signal?.aborted === true) return new OutboundError('aborted', 'The request was given up', { cause: error });
  const message = error instanceof Error ? error.message : String(error);
  if (timedOut || (error instanceof Error && error.name.endsWith('TimeoutError'))) {
    return new OutboundError('timeout', `${route.host} did not answer in time`, { cause: error });
  }
  return new OutboundError('broken', `${route.host}: ${message}`, { cause: error });
}

export function createOutbound(options: OutboundOptions): Outbound {
  const { network, allowPrivateAddresses, userAgent, observe, connectTimeout = defaultConnectTimeout } = options;
  const trust = lazyTrust(options.trustedCaFile);
  const limits = { ...defaultPoolLimits, ...options.limits };
  const pools = createPools({
    createConnector: (route) => createConnector(route, { network, trust, allowPrivateAddresses, connectTimeout }),
    limits,
  });
  options.watch?.('outbound_destinations', { size: () => pools.size, limit: () => limits.destinations });

  async function send(request: OutboundRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { route, method, path, headers, body, timeout, once = false } = request;
    const ask = () =>
      pools.find(route).request({
        method,
        path,
        headers: { host: route.host, 'user-agent': userAgent, accept: 'application/json', ...headers },
        ...(body !== undefined && { body }),
        headersTimeout: timeout,
        bodyTimeout: timeout,
        reset: once,
        signal,
      });
    await pools.load();
    try {
      return await ask();
    } catch (error) {
      // What may be asked twice is asked again.
      if (method === 'POST' || signal.aborted || !wasClosedBefore(error)) throw error;
      return ask();
    }
  }

  async function stream(request: OutboundRequest): Promise<OutboundStream> {
    const started = performance.now();
    const controller = new AbortController();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      controller.abort();
    }, request.timeout);
    const onAbort = (): void => controller.abort();
    request.signal?.addEventListener('abort', onAbort, { once: true });
    const release = (): void => {
      clearTimeout(timer);
      request.signal?.removeEventListener('abort', onAbort);
    };
    const fail = (error: unknown): OutboundError => {
      release();
      return toOutboundError(error, timedOut, request);
    };
    if (request.signal?.aborted === true) onAbort();

    let answer: Dispatcher.ResponseData;
    try {
      answer = await send(request, controller.signal);
    } catch (error) {
      const failure = fail(error);
      observe?.(request.purpose, failure.failure, performance.now() - started);
      throw failure;
    }
    observe?.(request.purpose, `${Math.trunc(answer.statusCode / 100)}xx`, performance.now() - started);
    const { headers } = answer;
    const body = answer.body.on('error', () => undefined);
    const discard = (): void => {
      release();
      body.destroy();
    };

    async function* chunks(): AsyncGenerator<Uint8Array, void, undefined> {
      try {
        checkLength(headers, request.answerLimit);
        yield* limited(body, request.answerLimit);
      } catch (error) {
        throw fail(error);
      } finally {
        discard();
      }
    }
    return { status: answer.statusCode, headers, chunks: chunks(), discard };
  }

  return {
    stream,
    async request(request) {
      const { status, headers, chunks } = await stream(request);
      return { status, headers, body: await readAll(chunks) };
    },
    close: () => pools.close(),
  };
}
