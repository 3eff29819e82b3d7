import {
  backfill as backfillOperation,
  getEvent as eventOperation,
  getEventAuth as eventAuthOperation,
  getMissingEvents as missingOperation,
  getState as stateOperation,
  getStateIds as stateIdsOperation,
  timestampToEvent as timestampOperation,
} from '../../../federation-api/history.ts';
import type { EventQueries } from '../../../services/federation/rooms/event-queries.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonInPieces } from '../../json-in-pieces.ts';
import { rawJson, type RawJson } from '../../result.ts';

type Services = { readonly eventQueries: EventQueries; readonly serverName: string; readonly now: () => number };

function transaction({ serverName, now }: Services, pdus: readonly string[]): RawJson {
  return rawJson(`{"origin":${JSON.stringify(serverName)},"origin_server_ts":${now()},"pdus":[${pdus.join(',')}]}`);
}

export const getEvent = endpoint(eventOperation, (services: Services) => {
  return async ({ origin, params }) =>
    transaction(services, [await services.eventQueries.event(origin, params.eventId)]);
});

export const getState = endpoint(stateOperation, ({ eventQueries }: Services) => {
  return async ({ origin, params, query }) =>
    jsonInPieces(await eventQueries.stateBefore(origin, params.roomId, query.event_id));
});

export const getStateIds = endpoint(stateIdsOperation, ({ eventQueries }: Services) => {
  return async ({ origin, params, query }) => {
    const { state, authChain } = await eventQueries.stateIdsBefore(origin, params.roomId, query.event_id);
    return { pdu_ids: state, auth_chain_ids: authChain };
  };
});

export const getEventAuth = endpoint(eventAuthOperation, ({ eventQueries }: Services) => {
  return async ({ origin, params }) =>
    jsonInPieces(await eventQueries.authChain(origin, params.roomId, params.eventId));
});

export const backfill = endpoint(backfillOperation, (services: Services) => {
  return async ({ origin, params, query: { v, limit } }) =>
    transaction(services, await services.eventQueries.backfill(origin, params.roomId, v, limit));
});

export const getMissingEvents = endpoint(missingOperation, ({ eventQueries }: Services) => {
  return async ({ origin, params, body }) => {
    const range = {
      latest: body.latest_events,
      earliest: body.earliest_events,
      limit: body.limit ?? 10,
      minDepth: body.min_depth ?? 0,
    };
    return rawJson(`{"events":[${(await eventQueries.missing(origin, params.roomId, range)).join(',')}]}`);
  };
});

export const timestampToEvent = endpoint(timestampOperation, ({ eventQueries }: Services) => {
  return ({ origin, params, query: { ts, dir } }) =>
    eventQueries.byTime(origin, params.roomId, ts, dir === 'f' ? 'forwards' : 'backwards');
});
