import {
  encodeCanonical,
  isJsonObject,
  type JsonValue,
  parseJson,
  type Pdu,
  redactPdu,
  type RoomEvent,
  type RoomVersionRules,
  serverNameOf,
} from '@portico/protocol';
import { deactivationMarkers } from '@portico/protocol/privacy/deactivation-marker.ts';
import type { ErasedSenders } from '../../reading/erased-senders.ts';

/** Events as texts by their numbers, in which what the memberships of erased people say of them is redacted. */
export type HideErasedProfiles = (
  rules: RoomVersionRules,
  events: Iterable<{ readonly nid: number; readonly event: RoomEvent }>,
  texts: ReadonlyMap<number, string>,
) => Promise<ReadonlyMap<number, string>>;

type Dependencies = { readonly erased: ErasedSenders; readonly serverName: string };

/**
 * For states and auth chains, of which other servers get all, whether or not they were there: a server that was has the events
 * by now, and one that comes later needs no more of them. An event that was redacted is still what its ID and its signatures say.
 */
export function createHideErasedProfiles({ erased, serverName }: Dependencies): HideErasedProfiles {
  return async (rules, events, texts) => {
    const members = new Map<number, string>();
    for (const { nid, event } of events) {
      const { stateKey: userId = '' } = event;
      // Only people of this server are erased here.
      if (saysMore(event) && serverNameOf(userId) === serverName) members.set(nid, userId);
    }
    const among = await erased.among(members.values());
    if (among.size === 0) return texts;
    const hidden = new Map(texts);
    for (const [nid, userId] of members) {
      const text = texts.get(nid);
      if (text !== undefined && among.has(userId)) hidden.set(nid, redactedMember(rules, text));
    }
    return hidden;
  };
}

/** Whether a membership tells more of its person than that they are in the room, or gone, which others are to know. */
function saysMore({ type, sender, stateKey, content }: RoomEvent): boolean {
  if (type !== 'm.room.member') return false;
  // For what reason somebody was put out is what others say; by what name they were invited is not.
  return sender === stateKey
    ? !Object.keys(content).every((key) => saysNothing.has(key))
    : profileFields.some((key) => Object.hasOwn(content, key));
}

const profileFields: readonly string[] = ['displayname', 'avatar_url'];

const saysNothing: ReadonlySet<string> = new Set(['membership', ...deactivationMarkers]);

const letIn = 'join_authorised_via_users_server';

/** Whole, where a redaction would take away by what the person came into the room: it would not be allowed any more. */
function redactedMember(rules: RoomVersionRules, text: string): string {
  const pdu = parseJson(text, 'lenient') as Pdu;
  const redacted = redactPdu(rules, pdu);
  if (has(pdu.content, letIn) && !has(redacted['content'], letIn)) return text;
  return encodeCanonical(redacted, rules.canonicalJson);
}

function has(content: JsonValue | undefined, name: string): boolean {
  return isJsonObject(content) && Object.hasOwn(content, name);
}
