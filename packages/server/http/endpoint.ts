import type { ServerName } from '@portico/protocol';
import type { Static, TObject, TSchema } from 'typebox';
import type { RateClass } from '../services/rate-limit/rate-classes.ts';
import type { Sender } from '../services/accounts/sender.ts';
import type { AppServiceClaim } from '../services/appservices/claim.ts';
import type { Bytes, ByteStream } from './bytes.ts';
import type { Page, RawJson, Reply } from './result.ts';

export type { AppServiceClaim, Sender };

/** What each kind of authentication adds to the request that a handler gets. */
export type AuthResults = {
  none: object;
  /** Anyone; `sender` is there if a valid token was given. A bad token is refused. */
  optional: { readonly sender: Sender | undefined };
  /** Anyone; `sender` is there if a valid token was given. A bad one counts as none: what is answered is for everybody. */
  anyone: { readonly sender: Sender | undefined };
  user: { readonly sender: Sender };
  admin: { readonly sender: Sender };
  /** Another server, which has signed the request. */
  server: { readonly origin: ServerName };
  /** An application service as itself. */
  'app-service': { readonly appService: { readonly id: string } };
  /** Anyone; `appService` tells whether the request has the token of an application service. Never refused. */
  'optional-app-service': { readonly appService: AppServiceClaim };
};
export type AuthKind = keyof AuthResults;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH';

export type Declaration<
  A extends AuthKind = AuthKind,
  P extends TObject | undefined = TObject | undefined,
  Q extends TObject | undefined = TObject | undefined,
  B extends TSchema | undefined = TSchema | undefined,
  R extends TSchema = TSchema,
> = {
  readonly method: Method;
  /** With `:name` for parameters. */
  readonly path: string;
  readonly unstablePaths?: readonly string[];
  /** Unique; the spec's own where it has one. */
  readonly operationId: string;
  readonly summary: string;
  readonly auth: A;
  /**
   * For those whose account is locked or suspended: they can do nothing when locked, and everything when suspended, unless
   * this says otherwise.
   */
  readonly moderated?: 'allowed-when-locked' | 'refused-when-suspended';
  /** Which token buckets the request takes from; none if absent. */
  readonly rateLimit?: RateClass;
  readonly params?: P;
  readonly query?: Q;
  /** An object schema none of whose fields is required makes the whole body optional. `rawBody` is any bytes, unread. */
  readonly body?: B;
  /** The handler gets `undefined` where there is no body, instead of the request being refused. */
  readonly missingBody?: 'handled';
  /** Headers that pages of others may send with it, besides those of every endpoint. */
  readonly allowedHeaders?: readonly string[];
  /** Whether clients send the same body again and again. The handler gets one value for all of them, and changes nothing in it. */
  readonly isRepeated?: true;
  /** In bytes; 1 MiB if absent. */
  readonly bodyLimit?: number;
  /** Of the 200 response; `rawBytes` where it is `Bytes`, `htmlPage` where it is a `Page`. */
  readonly response: R;
  /** Another operation of the spec under the same method and path, which only its parameters tell apart from this one. */
  readonly alternative?: { readonly operationId: string; readonly summary: string; readonly query: TObject };
};

type Parsed<S> = S extends TSchema ? Static<S> : undefined;

export type RequestParts = {
  readonly requestId: string;
  /** The client's address, as far as trusted proxies tell. */
  readonly ip: string;
  /** Aborted when the client has gone away, and when the server shuts down: a long poll then answers what it has. */
  readonly signal: AbortSignal;
  /** Which version of what is there a client wants to change, as it came. */
  readonly ifMatch: string | undefined;
  /** What the browser sends back of what it was told to keep, as it came. */
  readonly cookies: string | undefined;
  /**
   * Whether a browser says that it would show the answer, and not hand it to a page that asks for it.
   *
   * {@link https://www.w3.org/TR/fetch-metadata/}
   */
  readonly isNavigation: boolean;
};

export type HandlerRequest<A extends AuthKind, P, Q, B> = RequestParts &
  AuthResults[A] & { readonly params: Parsed<P>; readonly query: Parsed<Q>; readonly body: Parsed<B> };

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Result<R extends TSchema> = DeepReadonly<Static<R>> | RawJson | Reply | Page | Bytes | ByteStream;

/** What a handler gets, with the schemas forgotten: only the code that runs endpoints sees it. */
export type ErasedRequest = RequestParts & {
  readonly sender: Sender | undefined;
  readonly origin: ServerName | undefined;
  readonly appService: AppServiceClaim | undefined;
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
};
export type ErasedHandler = (request: ErasedRequest) => unknown;

export type Endpoint<Deps> = {
  readonly declaration: Declaration;
  readonly create: (deps: Deps) => ErasedHandler;
};

/** Declares an endpoint. The handler's argument has a `sender` or an `origin` only where the authentication provides one. */
export function endpoint<
  A extends AuthKind,
  R extends TSchema,
  Deps = object,
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends TSchema | undefined = undefined,
>(
  declaration: Declaration<A, P, Q, B, R>,
  create: (deps: Deps) => (request: HandlerRequest<A, P, Q, B>) => Result<R> | Promise<Result<R>>,
): Endpoint<Deps> {
  return {
    declaration,
    create: create as (deps: Deps) => unknown as (deps: Deps) => ErasedHandler,
  };
}
