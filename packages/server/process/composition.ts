import type { Config, Listener } from '../config/config.ts';
import type { AppOptions } from '../http/app.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { CommandHandlers } from './command-socket.ts';
import type { Listenable, TlsFiles } from './listeners.ts';
import type { SigningKey } from './signing-key.ts';

/** What the process gives to the program that runs in it. */
export type CompositionContext = {
  readonly config: Config;
  readonly log: Logger;
  /** Absent where nobody can scrape them. */
  readonly metrics: Metrics | undefined;
  readonly signingKey: SigningKey;
  /** Aborted when the process is asked to end. */
  readonly signal: AbortSignal;
  /** What only tests give. */
  readonly testing?: {
    readonly now?: () => number;
    /** For what has to do with presence. */
    readonly after?: (milliseconds: number, callback: () => void) => () => void;
    readonly checkResponse?: AppOptions['checkResponse'];
  };
};

/** The program, wired together. */
export type Composition = {
  /** Makes what answers on a listener. */
  readonly createApp: (listener: Listener, tls: TlsFiles | undefined) => Listenable;
  /** What the command line can ask. */
  readonly handlers: CommandHandlers;
  /** Ends it, after the listeners. */
  readonly close: () => Promise<void>;
};

export type Compose = (context: CompositionContext) => Promise<Composition>;
