import type { Reader } from '@portico/storage';
import { findAccount } from '@portico/storage/stores/accounts/accounts.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import { OutboundError } from '../outbound/outbound-error.ts';
import type { AppServiceClient } from './app-service-client.ts';
import type { AppService } from './app-service.ts';
import type { AppServices } from './app-services.ts';

/** Asks application services to make what somebody looks for, and what they would have made had they known. */
export interface AppServiceQueries {
  /** Has a user made who is not there, if a service has use for it. */
  ensureUser(userId: string): Promise<void>;
  /** Has an alias made that does not exist. Answers whether that was done. Throws where a service does not answer. */
  makeAlias(alias: string): Promise<boolean>;
}

type Dependencies = {
  readonly db: Reader;
  readonly appServices: AppServices;
  readonly client: AppServiceClient;
  readonly log: { info(details: object, message: string): void };
};

const timeout = 15_000;
/** "the homeserver should retry several times before timing out" */
const tries = 2;
/** Questions that are asked at the same time; beyond that, the answer is no. */
const maxAsking = 500;

/** {@link https://spec.matrix.org/v1.19/application-service-api/#querying} */
export function createAppServiceQueries({ db, appServices, client, log }: Dependencies): AppServiceQueries {
  const asking = new Map<string, Promise<boolean>>();

  async function ask(service: AppService, path: string): Promise<boolean> {
    for (let count = 1; ; count++) {
      try {
        return (await client.request(service, { method: 'GET', path, legacyPath: path, timeout })).isSuccess;
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error;
        log.info({ service: service.id, reason: error.message }, 'An application service does not answer a query');
        if (count === tries) throw new MatrixError('app-service.no-answer');
      }
    }
  }

  async function askAll(services: readonly AppService[], path: string): Promise<boolean> {
    for (const service of services) if (await ask(service, path)) return true;
    return false;
  }

  /** The same question is asked once at a time. */
  function askOnce(services: readonly AppService[], path: string): Promise<boolean> {
    const known = asking.get(path);
    if (known !== undefined) return known;
    if (asking.size >= maxAsking) return Promise.resolve(false);
    const asked = askAll(services, path).finally(() => asking.delete(path));
    asking.set(path, asked);
    return asked;
  }

  const reachable = appServices.all.filter(({ url }) => url !== undefined);

  return {
    async ensureUser(userId) {
      const services = reachable.filter((service) => service.sender !== userId && service.matchesUser(userId));
      if (services.length === 0 || (await findAccount(db, userId)) !== undefined) return;
      try {
        await askOnce(services, `/users/${encodeURIComponent(userId)}`);
      } catch (error) {
        // Whoever is not there can be invited all the same.
        if (!(error instanceof MatrixError)) throw error;
      }
    },
    async makeAlias(alias) {
      const services = reachable.filter((service) => service.matchesAlias(alias));
      return services.length > 0 && askOnce(services, `/rooms/${encodeURIComponent(alias)}`);
    },
  };
}
