import assert from 'node:assert/strict';
import { isJsonObject, type JsonObject, parseJson } from '@portico/protocol';
import type { FederationPeer } from '@portico/testkit/federation-peer.ts';
import type { PeerRoom } from '@portico/testkit/peer-room.ts';

/** Lets people leave a room of a peer; gives the events with which they have. */
export function serveLeaves(peer: Pick<FederationPeer, 'on'>, room: PeerRoom): readonly JsonObject[] {
  const left: JsonObject[] = [];
  peer.on('GET', '/_matrix/federation/v1/make_leave/', ({ url }) => {
    const sender = decodeURIComponent(/\/([^/?]*)$/.exec(url)?.[1] ?? '');
    const event = { type: 'm.room.member', stateKey: sender, sender, content: { membership: 'leave' } };
    const authEvents = room.authEvents(event);
    return {
      body: {
        room_version: '11',
        event: { depth: 50, prev_events: authEvents.slice(-1), auth_events: authEvents, content: {} },
      },
    };
  });
  peer.on('PUT', '/_matrix/federation/v2/send_leave/', ({ body }) => {
    const event = parseJson(body);
    assert.ok(isJsonObject(event));
    left.push(event);
    return { body: {} };
  });
  return left;
}
