import type { Static } from 'typebox';
import {
  exchangeThirdPartyInvite as exchangeOperation,
  onBindThirdPartyIdentifier as bindOperation,
  onBindThirdPartyIdentifierPosted as postedBindOperation,
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

const rateLimit = 'on-bind';

const handleBind = ({ thirdPartyInvites }: Services) => {
  return async ({ body: { mxid, invites } }: { readonly body: Static<NonNullable<typeof bindOperation.body>> }) => {
    await thirdPartyInvites.bound(
      mxid,
      invites.map(({ room_id: roomId, ...invite }) => ({ roomId, ...invite })),
    );
    return rawJson('{}');
  };
};

export const onBindThirdPartyIdentifier = endpoint({ ...bindOperation, rateLimit }, handleBind);

export const onBindThirdPartyIdentifierPosted = endpoint({ ...postedBindOperation, rateLimit }, handleBind);
