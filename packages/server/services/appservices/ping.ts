import { MatrixError } from '../../errors/matrix-error.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { AppServiceClient } from './app-service-client.ts';
import type { AppServices } from './app-services.ts';

export interface AppServicePing {
  /** Asks a service whether it can be reached, and says how many milliseconds it took to answer. */
  ping(by: string, id: string, transactionId: string | undefined): Promise<number>;
}

type Dependencies = { readonly appServices: AppServices; readonly client: AppServiceClient };

const timeout = 30_000;
/** Characters of a wrong answer that are shown. */
const maxShown = 10_000;

/** {@link https://spec.matrix.org/v1.19/application-service-api/#pinging} */
export function createAppServicePing({ appServices, client }: Dependencies): AppServicePing {
  return {
    async ping(by, id, transactionId) {
      const service = by === id ? appServices.find(id) : undefined;
      if (service === undefined) {
        throw new MatrixError('app-service.required', {
          message: 'This is not the token of that application service.',
        });
      }
      if (service.url === undefined) throw new MatrixError('app-service.no-url');
      const started = performance.now();
      const body = JSON.stringify({ transaction_id: transactionId });
      try {
        const answer = await client.request(service, { method: 'POST', path: '/ping', body, timeout });
        if (!answer.isSuccess) {
          const fields = { status: answer.code, body: answer.text.slice(0, maxShown) };
          throw new MatrixError('app-service.bad-status', { message: `Ping returned status ${answer.code}`, fields });
        }
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        if (error.failure === 'timeout') throw new MatrixError('app-service.timeout');
        throw new MatrixError('app-service.unreachable', { message: error.message });
      }
      return Math.round(performance.now() - started);
    },
  };
}
