import type { JsonObject, JsonValue } from '@portico/protocol/json/value.ts';
import { decideInvite } from '@portico/protocol/privacy/invites/decide-invite.ts';
import { parseInviteConfig } from '@portico/protocol/privacy/invites/invite-config.ts';
import type { StoredEvents } from '../lists/stored-events.ts';
import { listOf, objectOf, objectsOf, textOf } from '../server/json.ts';
import type { Session } from '../server/session.ts';
import type { Decision } from './decision-words.ts';
import { keptEvents } from './invite-settings.ts';

const path = '_portico/client/v1/privacy/invites';

/** What counts besides what the person sets here. */
export type Surroundings = { readonly policy: JsonObject; readonly ignored: ReadonlySet<string> };

export async function readSurroundings(session: Session): Promise<Surroundings> {
  const { server_policy: policy, ignored_users: ignored } = await session.ask({ path });
  return {
    policy: objectOf(policy),
    ignored: new Set(listOf(ignored).filter((user) => typeof user === 'string')),
  };
}

function readDecision(value: JsonValue | undefined): Decision {
  const answer = objectOf(value);
  return {
    action: textOf(answer['action']) ?? '',
    rule: textOf(answer['rule']) ?? '',
    source: textOf(answer['source']),
    entry: textOf(answer['entry']),
  };
}

/** What would become of an invitation, as it is saved. */
export async function askDecision(session: Session, inviter: string): Promise<Decision> {
  return readDecision(await session.ask({ path: `${path}/decision?user_id=${encodeURIComponent(inviter)}` }));
}

/** The same, as it would be if this were saved. */
export function decideUnsaved(events: StoredEvents, { policy, ignored }: Surroundings, inviter: string): Decision {
  return decideInvite(inviter, {
    policy: parseInviteConfig(policy),
    ignored,
    configs: keptEvents(events).map(([type, content]) => [type, parseInviteConfig(content)] as const),
  });
}

export type Pending = {
  readonly roomId: string;
  readonly inviter: string;
  readonly at: Date;
  /** Whether the rules keep it from being shown anywhere else. */
  readonly isHidden: boolean;
};

export type PendingPage = {
  readonly invites: readonly Pending[];
  readonly next: string | undefined;
  /** Whether the server is declining some of them. */
  readonly isDeclining: boolean;
};

export async function readPending(session: Session, from?: string): Promise<PendingPage> {
  const place = from === undefined ? '' : `&from=${encodeURIComponent(from)}`;
  const answer = await session.ask({ path: `${path}/pending?limit=200${place}` });
  return {
    invites: objectsOf(answer['invites']).map((invite) => ({
      roomId: textOf(invite['room_id']) ?? '',
      inviter: textOf(invite['inviter']) ?? '',
      at: new Date(Number(invite['origin_server_ts'])),
      isHidden: readDecision(invite['decision']).action !== 'allow',
    })),
    next: textOf(answer['next_batch']),
    isDeclining: answer['rejecting'] === true,
  };
}

/** The server goes on with it by itself. */
export async function declineAll(session: Session, withHidden: boolean): Promise<void> {
  await session.ask({ method: 'POST', path: `${path}/reject`, body: { include_hidden: withHidden } });
}

export async function decline(session: Session, roomId: string): Promise<void> {
  const room = encodeURIComponent(roomId);
  await session.ask({ method: 'POST', path: `_matrix/client/v3/rooms/${room}/leave`, body: {} });
}
