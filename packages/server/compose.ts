import type { Composition, CompositionContext } from './process/composition.ts';
import { buildApp } from './http/app.ts';
import { clientEndpoints } from './http/client/index.ts';
import { createRateLimiter } from './services/rate-limit/rate-limiter.ts';

/** The only place where the parts of the program are put together. */
export async function compose({ config, log, metrics }: CompositionContext): Promise<Composition> {
  const rateLimiter = createRateLimiter({ enabled: config.rateLimits.enabled, now: () => performance.now() });
  const authenticator = { findSender: () => undefined };
  const options = { log, authenticator, rateLimiter, ...(metrics && { observe: metrics.observeRequest }) };
  return {
    createApp({ serve }, tls) {
      const endpoints = serve.includes('client') ? clientEndpoints : [];
      return buildApp(endpoints, {}, { ...options, ...(tls && { tls }) });
    },
    handlers: {},
    close: async () => undefined,
  };
}
