import { isJsonObject, parseJson } from '@portico/protocol';
import type { Outbound } from '../../outbound/outbound.ts';
import { routeOf } from '../../outbound/fetch-url.ts';

/** Hands notifications to push gateways. */
export interface Gateway {
  /**
   * Says whether the gateway took it, or wants to hear of this pushkey no more. Rejects with `OutboundError` or
   * `GatewayError` where it did neither.
   */
  notify(url: URL, pushkey: string, body: string, signal: AbortSignal): Promise<'accepted' | 'rejected'>;
}

/** A gateway answered, but not with success. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
}

export const gatewayTimeout = 15_000;
const answerLimit = 64 * 1024;

export function createGateway(outbound: Outbound): Gateway {
  return {
    async notify(url, pushkey, body, signal) {
      const answer = await outbound.request({
        route: routeOf(url),
        method: 'POST',
        path: `${url.pathname}${url.search}`,
        headers: { 'content-type': 'application/json' },
        body,
        answerLimit,
        timeout: gatewayTimeout,
        signal,
        purpose: 'push',
      });
      if (answer.status < 200 || answer.status >= 300) {
        throw new GatewayError(`${url.host} answered with ${answer.status}`);
      }
      const json = parseJson(answer.body.toString('utf8'), 'lenient');
      const rejected = isJsonObject(json) ? json['rejected'] : undefined;
      return Array.isArray(rejected) && rejected.includes(pushkey) ? 'rejected' : 'accepted';
    },
  };
}
