import {
  exchangeThirdPartyInvite as exchangeOperation,
  onBindThirdPartyIdentifier as bindOperation,
} from '../../../federation-api/third-party-invites.ts';
import type { ThirdPartyInvites } from '../../../services/federation/rooms/third-party-invites.ts';
import { endpoint } from '../../endpoint.ts';
import { rawJson } from '../../result.ts';

type Services = { readonly thirdPartyInvites: ThirdPartyInvites };

export const exchangeThirdPartyInvite = endpoint(exchangeOperation, ({ thirdPartyInvites }: Services) => {
  return async ({ origin, params, body }) => {
    await thirdPartyInvites.exchange(origin, params.roomId, body);
    return rawJson('{}');
  };
});

export const onBindThirdPartyIdentifier = endpoint(
  { ...bindOperation, rateLimit: 'on-bind' },
  ({ thirdPartyInvites }: Services) => {
    return async ({ body: { mxid, invites } }) => {
      await thirdPartyInvites.bound(
        mxid,
        invites.map(({ room_id: roomId, ...invite }) => ({ roomId, ...invite })),
      );
      return rawJson('{}');
    };
  },
);
