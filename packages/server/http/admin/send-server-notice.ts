import { randomUUID } from 'node:crypto';
import { Type, type Static } from 'typebox';
import type { ServerNotices } from '../../services/server-notices/server-notices.ts';
import { eventIdResponse } from '../client/rooms/schemas.ts';
import { endpoint } from '../endpoint.ts';
import { jsonObject } from '../schemas.ts';

const path = '/_synapse/admin/v1/send_server_notice';
const summary = 'Sends a notice of the server to one of its users.';
const body = Type.Object(
  {
    user_id: Type.String(),
    type: Type.Optional(Type.String()),
    state_key: Type.Optional(Type.String()),
    content: jsonObject,
  },
  { title: 'ServerNotice' },
);

async function send(notices: ServerNotices, sender: string, given: Static<typeof body>, txnId: string) {
  const eventId = await notices.send({
    userId: given.user_id,
    type: given.type ?? 'm.room.message',
    stateKey: given.state_key,
    content: given.content,
    transaction: { sender, txnId },
  });
  return { event_id: eventId };
}

export const sendServerNotice = endpoint(
  { method: 'POST', path, operationId: 'sendServerNotice', summary, auth: 'admin', body, response: eventIdResponse },
  ({ serverNotices }: { serverNotices: ServerNotices }) =>
    ({ sender, body }) =>
      send(serverNotices, sender.userId, body, randomUUID()),
);

export const sendServerNoticeOnce = endpoint(
  {
    method: 'PUT',
    path: `${path}/:txnId`,
    operationId: 'sendServerNoticeOnce',
    summary,
    auth: 'admin',
    params: Type.Object({ txnId: Type.String() }),
    body,
    response: eventIdResponse,
  },
  ({ serverNotices }: { serverNotices: ServerNotices }) =>
    ({ sender, params, body }) =>
      send(serverNotices, sender.userId, body, params.txnId),
);
