import {
  sendJoin as joinOperation,
  sendJoinV1 as joinOperationV1,
  sendLeave as leaveOperation,
  sendLeaveV1 as leaveOperationV1,
} from '../../../federation-api/membership.ts';
import type { MemberRequests } from '../../../services/federation/rooms/member-requests.ts';
import { endpoint } from '../../endpoint.ts';
import { jsonInPieces } from '../../json-in-pieces.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly memberRequests: MemberRequests };

export const sendJoin = endpoint(joinOperation, ({ memberRequests }: Services) => {
  return async ({ origin, params, query, body }) => {
    const omitMembers = query.omit_members === 'true';
    return jsonInPieces(await memberRequests.sendJoin({ origin, ...params, body }, { omitMembers }));
  };
});

export const sendJoinV1 = endpoint(joinOperationV1, ({ memberRequests }: Services) => {
  return async ({ origin, params, body }) =>
    jsonInPieces(asOldAnswer(await memberRequests.sendJoin({ origin, ...params, body }, { omitMembers: false })));
});

async function* asOldAnswer(answer: AsyncGenerator<string>): AsyncGenerator<string> {
  yield '[200,';
  yield* answer;
  yield ']';
}

export const sendLeave = endpoint(leaveOperation, ({ memberRequests }: Services) => {
  return async ({ origin, params, body }) => {
    await memberRequests.sendLeave({ origin, ...params, body });
    return rawJson('{}');
  };
});

export const sendLeaveV1 = endpoint(leaveOperationV1, ({ memberRequests }: Services) => {
  return async ({ origin, params, body }) => {
    await memberRequests.sendLeave({ origin, ...params, body });
    return rawJson('[200,{}]');
  };
});
