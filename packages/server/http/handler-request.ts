import type { ServerName } from '@portico/protocol';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { AppServiceClaim, ErasedRequest, Sender } from './endpoint.ts';
import type { OpenRequests } from './open-requests.ts';

/** What handlers get. A class for its getters: most handlers never ask for the address or the signal. */
export class HandlerRequest implements ErasedRequest {
  readonly sender: Sender | undefined;
  readonly origin: ServerName | undefined;
  readonly appService: AppServiceClaim | undefined;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;
  readonly #openRequests: OpenRequests;
  #signal: AbortSignal | undefined;

  constructor(
    request: FastifyRequest,
    reply: FastifyReply,
    openRequests: OpenRequests,
    sender: Sender | undefined,
    origin: ServerName | undefined,
    appService: AppServiceClaim | undefined,
    query: unknown,
    body: unknown,
  ) {
    this.sender = sender;
    this.origin = origin;
    this.appService = appService;
    this.params = request.params;
    this.query = query;
    this.body = body;
    this.#request = request;
    this.#reply = reply;
    this.#openRequests = openRequests;
  }

  get requestId(): string {
    return this.#request.id;
  }

  get ip(): string {
    return this.#request.ip;
  }

  get ifMatch(): string | undefined {
    return this.#request.headers['if-match'];
  }

  get cookies(): string | undefined {
    return this.#request.headers.cookie;
  }

  get isNavigation(): boolean {
    const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = this.#request.headers;
    return mode === 'navigate' || (destination !== undefined && destination !== 'empty');
  }

  get signal(): AbortSignal {
    this.#signal ??= this.#open();
    return this.#signal;
  }

  #open(): AbortSignal {
    const controller = this.#openRequests.open();
    const { raw } = this.#reply;
    const close = (): void => this.#openRequests.closed(controller, { isAnswered: raw.writableFinished });
    // The client may have gone before anybody wanted to know.
    if (raw.closed) close();
    else raw.once('close', close);
    return controller.signal;
  }
}
