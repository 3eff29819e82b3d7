import { encodeCanonical, type JsonValue, type ServerName, type SigningKey } from '@portico/protocol';
import type { Static, TObject, TSchema } from 'typebox';
import { createRequire } from 'node:module';
import type { Validator } from 'typebox/compile';
import { type Input, type Operation, targetOf } from '../../../federation-api/operation.ts';
import type { Discovery } from '../discovery/discovery.ts';
import { OutboundError } from '../../outbound/outbound-error.ts';
import type { Outbound, OutboundStream } from '../../outbound/outbound.ts';
import { readAll } from '../../outbound/read-body.ts';
import type { Route } from '../../outbound/route.ts';
import { unlessAborted } from '../../outbound/unless-aborted.ts';
import { createRequestSigner } from '../signing/sign-request.ts';
import { FederationError } from './federation-error.ts';
import { leaveOutUnsaid } from '../../unsaid.ts';
import { parseLongAnswer, parseRefusal } from './parse-answer.ts';

/** For what compiles schemas: a start need not wait for it. */
const require = createRequire(import.meta.url);

/** A body that is canonical JSON text already, for requests that carry stored events. */
export class CanonicalText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type AnswerReader = { readonly said: (answer: unknown) => unknown; readonly validator: Validator };

export type CallOptions = {
  readonly signal?: AbortSignal | undefined;
  /** Instead of the operation's own, in milliseconds. */
  readonly timeout?: number;
  /** Instead of the operation's own, in bytes. */
  readonly answerLimit?: number;
};

type WithText<I> = I extends { readonly body: infer B } ? Omit<I, 'body'> & { readonly body: B | CanonicalText } : I;

/** Asks other servers. Rejects with `FederationError` and nothing else. */
export interface FederationClient {
  /** The answer, as the operation declares it. */
  call<
    A extends 'none' | 'server',
    P extends TObject | undefined,
    Q extends TObject | undefined,
    B extends TSchema | undefined,
    R extends TSchema,
  >(
    operation: Operation<A, P, Q, B, R>,
    destination: ServerName,
    input: WithText<Input<P, Q, B>>,
    options?: CallOptions,
  ): Promise<Static<R>>;
  /** A good answer that is read as it comes; nobody has looked at it. */
  open<
    A extends 'none' | 'server',
    P extends TObject | undefined,
    Q extends TObject | undefined,
    B extends TSchema | undefined,
    R extends TSchema,
  >(
    operation: Operation<A, P, Q, B, R>,
    destination: ServerName,
    input: WithText<Input<P, Q, B>>,
    options?: CallOptions,
  ): Promise<OutboundStream>;
}

type Dependencies = {
  readonly serverName: ServerName;
  readonly key: SigningKey;
  readonly enabled: boolean;
  readonly discovery: Discovery;
  readonly outbound: Outbound;
};

/** Bytes of an error that are read. */
const errorLimit = 64 * 1024;

type Parts = { readonly params?: object; readonly query?: object; readonly body?: JsonValue | CanonicalText };

export function createFederationClient(dependencies: Dependencies): FederationClient {
  const { serverName, key, enabled, discovery, outbound } = dependencies;
  const sign = createRequestSigner(serverName, key);
  const answerReaders = new WeakMap<TSchema, AnswerReader>();

  /** Looking for a server is shared by all who ask it something; each waits for it only as long as for the answer. */
  async function findRoute(destination: ServerName, timeout: number, signal: AbortSignal | undefined): Promise<Route> {
    const controller = new AbortController();
    const giveUp = (): void => controller.abort();
    const timer = setTimeout(giveUp, timeout);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted === true) giveUp();
    try {
      return await unlessAborted(discovery.findRoute(destination), controller.signal, () =>
        signal?.aborted === true
          ? new OutboundError('aborted', 'The request was given up')
          : new OutboundError('timeout', `${destination} could not be found in time`),
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  async function send(
    operation: Operation,
    destination: ServerName,
    { params, query, body }: Parts,
    { signal, timeout = operation.timeout, answerLimit = operation.answerLimit }: CallOptions,
  ): Promise<OutboundStream> {
    if (!enabled || destination === serverName) {
      throw new FederationError('disabled', `This server does not talk to ${destination}`);
    }
    const { method, operationId, auth } = operation;
    const path = targetOf(operation, { ...params }, { ...query });
    const content =
      body === undefined ? undefined : body instanceof CanonicalText ? body.text : encodeCanonical(body, 'lenient');
    try {
      const started = performance.now();
      const route = await findRoute(destination, timeout, signal);
      const left = Math.max(1, timeout - (performance.now() - started));
      return await outbound.stream({
        route,
        method,
        path,
        headers: {
          ...(auth === 'server' && { authorization: sign({ method, uri: path, destination, content }) }),
          ...(content !== undefined && { 'content-type': 'application/json' }),
        },
        ...(content !== undefined && { body: content }),
        answerLimit,
        timeout: left,
        signal,
        purpose: operationId,
      });
    } catch (error) {
      if (error instanceof OutboundError && isAbsence(error)) discovery.reportUnreachable(destination);
      throw toFederationError(error);
    }
  }

  async function open(
    operation: Operation,
    destination: ServerName,
    input: Parts,
    options: CallOptions = {},
  ): Promise<OutboundStream> {
    const answer = await send(operation, destination, input, options);
    if (answer.status === 200) return answer;
    const refusal = parseRefusal(answer.status, answer.headers, await readError(answer));
    const message = `${destination} answered ${operation.operationId} with ${answer.status} ${refusal.errcode ?? ''}`;
    throw new FederationError('refused', message.trimEnd(), { refusal });
  }

  function readerOf(schema: TSchema): AnswerReader {
    let reader = answerReaders.get(schema);
    if (reader === undefined) {
      const { Compile } = require('typebox/compile') as typeof import('typebox/compile');
      answerReaders.set(schema, (reader = { said: leaveOutUnsaid(schema), validator: Compile(schema) }));
    }
    return reader;
  }

  async function call(
    operation: Operation,
    destination: ServerName,
    input: Parts,
    options?: CallOptions,
  ): Promise<unknown> {
    const answer = await open(operation, destination, input, options);
    let body: Buffer;
    try {
      body = await readAll(answer.chunks);
    } catch (error) {
      throw toFederationError(error);
    }
    const { said, validator } = readerOf(operation.response);
    // Synapse says `"master_key": null` of people who have none.
    const value = said(await parseLongAnswer(body));
    if (value === undefined || !validator.Check(value)) {
      const [fault] = value === undefined ? [] : validator.Errors(value);
      const reason = fault === undefined ? 'not JSON' : `${fault.instancePath} ${fault.message}`;
      throw new FederationError('bad-answer', `${destination} answered ${operation.operationId} with ${reason}`);
    }
    return value;
  }

  return { call, open } as unknown as FederationClient;
}

function isAbsence({ failure }: OutboundError): boolean {
  return failure === 'unreachable' || failure === 'unknown-host' || failure === 'tls';
}

/** What is too long to be read is an error without words. */
async function readError(answer: OutboundStream): Promise<Buffer> {
  const read: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of answer.chunks) {
      length += chunk.length;
      if (length > errorLimit) return Buffer.alloc(0);
      read.push(chunk);
    }
  } catch (error) {
    if (!(error instanceof OutboundError)) throw error;
    return Buffer.alloc(0);
  }
  return Buffer.concat(read);
}

function toFederationError(error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error;
  return new FederationError(error.failure, error.message, { cause: error });
}
