import { Type } from 'typebox';
import type { ThirdPartyIds } from '../../../../services/third-party-ids/third-party-ids.ts';
import { endpoint } from '../../../endpoint.ts';

const thirdPartyId = Type.Object(
  { medium: Type.String(), address: Type.String(), validated_at: Type.Integer(), added_at: Type.Integer() },
  { title: 'ThirdPartyId' },
);

export const getThirdPartyIds = endpoint(
  {
    method: 'GET',
    path: '/_matrix/client/v3/account/3pid',
    operationId: 'getAccount3PIDs',
    summary: "Gets a list of a user's third-party identifiers.",
    auth: 'user',
    response: Type.Object({ threepids: Type.Array(thirdPartyId) }, { title: 'ThirdPartyIds' }),
  },
  ({ thirdPartyIds }: { thirdPartyIds: ThirdPartyIds }) =>
    async ({ sender }) => ({ threepids: await thirdPartyIds.list(sender.userId) }),
);
