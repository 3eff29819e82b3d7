import { makeJoin as joinOperation, makeLeave as leaveOperation } from '../../../federation-api/membership.ts';
import type { MemberRequests } from '../../../services/federation/rooms/member-requests.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly memberRequests: MemberRequests };

export const makeJoin = endpoint(joinOperation, ({ memberRequests }: Services) => {
  return async ({ origin, params, query: { ver = ['1'] } }) => {
    const { event, version } = await memberRequests.makeJoin({ origin, ...params }, ver);
    return rawJson(JSON.stringify({ event, room_version: version }));
  };
});

export const makeLeave = endpoint(leaveOperation, ({ memberRequests }: Services) => {
  return async ({ origin, params }) => {
    const { event, version } = await memberRequests.makeLeave({ origin, ...params });
    return rawJson(JSON.stringify({ event, room_version: version }));
  };
});
