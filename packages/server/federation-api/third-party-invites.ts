import { Type } from 'typebox';
import { operation } from './operation.ts';
import { anyObject, megabyte, pdu, roomParams } from './pdu.ts';

const timeout = 30_000;
const answerLimit = megabyte;

const signed = Type.Object({
  mxid: Type.String(),
  token: Type.String(),
  signatures: Type.Record(Type.String(), Type.Record(Type.String(), Type.String())),
});

export const exchangeThirdPartyInvite = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/exchange_third_party_invite/:roomId',
  operationId: 'exchangeThirdPartyInvite',
  summary: 'Asks for the invitation of a person whose email address or phone number was invited.',
  auth: 'server',
  params: roomParams,
  body: pdu,
  response: anyObject,
  answerLimit,
  timeout,
});

/** Sent by identity servers, which sign no requests. */
export const onBindThirdPartyIdentifier = operation({
  method: 'PUT',
  path: '/_matrix/federation/v1/3pid/onbind',
  operationId: 'onBindThirdPartyIdentifier',
  summary: 'Tells that an email address or phone number that was invited belongs to a person of this server.',
  auth: 'none',
  body: Type.Object({
    medium: Type.String(),
    address: Type.String(),
    mxid: Type.String(),
    invites: Type.Array(
      Type.Object({
        medium: Type.Optional(Type.String()),
        address: Type.Optional(Type.String()),
        mxid: Type.String(),
        room_id: Type.String(),
        sender: Type.String(),
        signed,
      }),
      { maxItems: 100 },
    ),
  }),
  response: anyObject,
  answerLimit,
  timeout,
});

/** The spec has PUT; identity servers in use send this with POST, and other homeservers take nothing else. */
export const onBindThirdPartyIdentifierPosted = operation({
  ...onBindThirdPartyIdentifier,
  method: 'POST',
  operationId: 'onBindThirdPartyIdentifierPosted',
});
