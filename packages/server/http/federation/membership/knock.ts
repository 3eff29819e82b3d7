import { makeKnock as makeOperation, sendKnock as sendOperation } from '../../../federation-api/knocking.ts';
import type { MemberRequests } from '../../../services/federation/rooms/member-requests.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly memberRequests: MemberRequests };

export const makeKnock = endpoint(makeOperation, ({ memberRequests }: Services) => {
  return async ({ origin, params, query: { ver = [] } }) => {
    const { event, version } = await memberRequests.makeKnock({ origin, ...params }, ver);
    return rawJson(JSON.stringify({ event, room_version: version }));
  };
});

export const sendKnock = endpoint(sendOperation, ({ memberRequests }: Services) => {
  return async ({ origin, params, body }) => {
    const events = await memberRequests.sendKnock({ origin, ...params, body });
    return rawJson(`{"knock_room_state":[${events.join(',')}]}`);
  };
});
