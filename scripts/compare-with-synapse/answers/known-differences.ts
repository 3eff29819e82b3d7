import { isDeepStrictEqual } from 'node:util';
import type { Difference } from './differences.ts';
import { isList, isObject, type JsonObject, objectAt, objectsAt, textAt } from './json.ts';

type Known = {
  /** What was asked, or looked at. */
  readonly what?: RegExp;
  readonly where?: RegExp;
  readonly when?: (difference: Difference) => boolean;
  readonly reason: string;
};

const onlySynapse = ({ portico }: Difference): boolean => portico === undefined;
const onlyPortico = ({ synapse }: Difference): boolean => synapse === undefined;
const isEmpty = (json: unknown): boolean =>
  json === undefined ||
  json === null ||
  (isObject(json) ? Object.keys(json).length === 0 : isList(json) && json.length === 0);

/** Two answers. */
const are =
  (ours: JsonObject, theirs: JsonObject) =>
  ({ portico, synapse }: Difference): boolean =>
    isDeepStrictEqual(portico, ours) && isDeepStrictEqual(synapse, theirs);

const onlyState = (list: unknown): boolean =>
  isList(list) && list.every((each) => textAt(each, 'state_key') !== undefined);

const notFound = { status: 404, errcode: 'M_NOT_FOUND' };

const isInvitation = (notification: unknown): boolean =>
  textAt(objectAt(objectAt(notification, 'event'), 'content'), 'membership') === 'invite';

/** Whether a room as a sync tells of it is one from which somebody was sent away. */
function isKickedFrom(room: JsonObject): boolean {
  const members = Object.entries(objectAt(objectAt(room, 'state'), 'm.room.member'));
  const isKick = ([userId, event]: readonly [string, unknown]): boolean =>
    textAt(objectAt(event, 'content'), 'membership') === 'leave' && textAt(event, 'sender') !== userId;
  return room['section'] === 'leave' && members.some(isKick);
}

const forbidden = { status: 403, errcode: 'M_FORBIDDEN' };

const known: readonly Known[] = [
  {
    what: /^GET .*, of a strange room$/,
    reason:
      'Portico shows nothing of a room to those who were never in it, and who was banned later what was there when they left.',
  },
  {
    what: /m\.room\.create/,
    when: ({ portico }) => isDeepStrictEqual(portico, { status: 400, errcode: 'M_BAD_JSON' }),
    reason: 'Nobody makes a room that is there, be the code this or that.',
  },
  {
    what: /^(?:POST v3\/(?:knock|join|rooms\/!\/invite)|PUT v3\/rooms\/!\/state\/m\.room\.member\/@(?:,|$))/,
    when: (difference) =>
      are(forbidden, { status: 500, errcode: 'M_FORBIDDEN' })(difference) ||
      are(forbidden, { status: 404, errcode: 'M_UNKNOWN' })(difference) ||
      are(forbidden, { status: 403, errcode: 'M_BAD_STATE' })(difference),
    reason:
      'The only code for those who may not come in is M_FORBIDDEN: Synapse fails at some who are in or banned, tells them of a state, or looks for other servers.',
  },
  {
    where: /\.unsigned\.transaction_id$/,
    when: onlyPortico,
    reason: 'Synapse does not say by which request an event was sent in lists of threads.',
  },
  {
    where: /(?<!\.unsigned)\.(?:age|user_id|prev_content|redacted_because|replaces_state|prev_sender)$/,
    when: onlySynapse,
    reason: 'Synapse still gives what events had at their top in versions of the API before v3.',
  },
  {
    what: /sync/,
    where: /\.m\.room\.create\.\.room_id$|\.timeline\[\d+\]\.room_id$/,
    when: onlySynapse,
    reason:
      'The create event of a room of version 12 has no room ID, nor has any event in a sync: Synapse gives it there.',
  },
  {
    where: /\.redacted_because\.unsigned\.membership$/,
    when: onlyPortico,
    reason: 'Portico says as what somebody saw an event for events within events, too.',
  },
  {
    where: /\.events\.m\.call\.invite$/,
    when: onlySynapse,
    reason: 'Who may call everybody in a room is not said by the specification: Synapse lets moderators alone.',
  },
  {
    where: /\.m\.topic\.m\.text\[0\]\.mimetype$/,
    when: onlyPortico,
    reason: 'Plain text is what it is where nothing is said: Portico says so.',
  },
  {
    where: /\.rule \.(?:org|io|im)\.[^.]+.*$|\.rule \.m\.rule\.(?:contains_|roomnotif)\w*$/,
    reason: 'Push rules of proposals, which each has its own, and those that the specification has removed.',
  },
  {
    what: /sync/,
    where: /\.unsigned\.m\.relations$/,
    when: onlyPortico,
    reason: 'Synapse gives what is related to an event only where a timeline leaves something out.',
  },
  {
    what: /sync/,
    where: /\.unsigned\.membership$/,
    when: onlySynapse,
    reason: 'As what somebody saw an event is said of those of a timeline: Synapse says it of the state as well.',
  },
  {
    what: /^sync/,
    where: /^\.rooms\.[^.]+(?::[^.]+\.localhost)?$/,
    when: ({ portico, synapse }) => portico === undefined && JSON.stringify(synapse) === '{"section":"leave"}',
    reason:
      'Portico does not tell at a first sync of rooms that somebody was only invited to, or banned from, and never in.',
  },
  {
    where: /\.accountData\.[^.]+(?:\.[^.]+)*$/,
    when: ({ portico, synapse }) => portico === undefined && isEmpty(synapse),
    reason: 'Account data that is empty is deleted: Synapse gives it at a first sync.',
  },
  {
    where: /\.accountData\.m\.tag$/,
    when: ({ portico, synapse }) =>
      [portico, synapse].every((each) => each === undefined || isDeepStrictEqual(each, { tags: {} })),
    reason: 'Both give tags of which there are none at one first sync and not at another.',
  },
  {
    where: /\.own rules\[\d+\]$/,
    reason:
      '"If a rule with the same `rule_id` already exists […], it is updated": Synapse moves it before the others as well.',
  },
  {
    where: /\.im\.nheko\.summary\./,
    when: onlyPortico,
    reason: 'Portico gives the unstable names of a summary as well.',
  },
  {
    what: /^sliding/,
    where: /\.facts\.(?:name|avatar)$/,
    when: onlySynapse,
    reason:
      'Synapse goes on to give the name that was redacted, and to who is invited what a room was given afterwards.',
  },
  {
    what: /^sliding/,
    where: /\.facts\.heroes(?:$|\[)/,
    reason:
      '"Heroes are only included if the room name is not set": Synapse gives them always, and nobody says in which order.',
  },
  {
    what: /^PUT .*m\.room\.power_levels/,
    when: ({ portico, synapse }) =>
      isObject(synapse) &&
      synapse['status'] === 400 &&
      isObject(portico) &&
      [400, 403].includes(Number(portico['status'])),
    reason: 'Levels that are none break a rule of authorisation: Synapse looks at their form before.',
  },
  {
    what: /^GET v3\/(?:user\/.*account_data|profile\/@\/\w+)/,
    when: (difference) =>
      are(notFound, { status: 200, body: {} })(difference) ||
      are(notFound, { status: 200, body: { tags: {} } })(difference),
    reason:
      'What is empty is not there: Synapse gives account data that were deleted, and parts of a profile that nobody has set.',
  },
  {
    where: /\.content\.events\.m\.room\.tombstone$/,
    when: ({ portico, synapse }) => portico === 150 && synapse === 100,
    reason: 'Since room version 12 a tombstone takes 150, also in rooms that were upgraded.',
  },
  {
    where: /\.joined\.[^.]+\.[^.]+\.(?:avatar_url|display_name)$/,
    when: ({ synapse }) => synapse === null,
    reason: 'Synapse says by null that somebody has no name or picture.',
  },
  {
    what: /^sync/,
    where: /\.timeline$/,
    when: ({ portico, synapse }) => isEmpty(portico) && onlyState(synapse),
    reason:
      'Synapse shows events of the present state in a timeline also to those who may not see what was there before they came.',
  },
  {
    what: /^sliding/,
    where: /\.timeline$/,
    when: ({ synapse }) => isEmpty(synapse),
    reason:
      'Synapse takes from the last events of a room those that somebody may see, Portico the last of those that they may see.',
  },
  {
    what: /sync/,
    where: /\.(?:latest_event|m\.replace)\.room_id$/,
    when: onlyPortico,
    reason: 'The event within an event is no event of a sync, which would have no room ID.',
  },
  {
    what: /^sync/,
    where: /\.typing$/,
    when: ({ portico }) => isEmpty(portico),
    reason: 'Who has sent a message types no longer: Synapse waits for the client to say so.',
  },
  {
    what: /^GET .*\/account_data\/m\.tag/,
    when: ({ synapse }) => isDeepStrictEqual(synapse, notFound),
    reason: 'The tags of a room are account data: Synapse gives them only by their own endpoint and in a sync.',
  },
  {
    what: /^GET v3\/notifications/,
    where: /\.next_token$/,
    when: onlySynapse,
    reason: 'Synapse says where to go on also where there is nothing more.',
  },
  {
    what: /^POST v3\/search/,
    where: /\.context(?:$|\..*\.unsigned\.membership$|\.profile_info\..*\.(?:avatar_url|displayname)$)/,
    when: ({ portico, synapse }) => portico === undefined && (isEmpty(synapse) || typeof synapse === 'string'),
    reason: 'Synapse gives what is around the events of a search with their membership, and says what is not there.',
  },
  {
    what: /^POST v3\/search/,
    where: /\.groups(?:$|\..*\.order$)/,
    when: onlyPortico,
    reason: 'Synapse does not say in which order groups are shown, nor groups by who sent.',
  },
  {
    what: /^GET v3\/notifications/,
    where: /\.(?:profile_tag|event\.unsigned\.membership)$/,
    when: ({ portico, synapse }) => isEmpty(portico) !== isEmpty(synapse) || synapse === null,
    reason: 'Synapse gives no membership with notifications, and says by null that there is no tag.',
  },
  {
    what: /^sliding/,
    where: /\.(?:facts\.is_dm|unsigned\.m\.relations)$/,
    reason: 'What changes of a room or an event that was told before is told at different times, or not again.',
  },
  {
    where: /^\.body\.state$/,
    when: ({ portico, synapse }) => synapse === undefined && isEmpty(portico),
    reason: 'Synapse leaves out a state of which there is nothing.',
  },
  {
    what: /^PUT .*m\.room\.member/,
    when: ({ portico, synapse }) =>
      isObject(portico) && isDeepStrictEqual(synapse, { status: 500, errcode: 'M_FORBIDDEN' }),
    reason: 'Synapse fails where somebody has others knock.',
  },
  {
    where: /\.highlights$/,
    when: ({ portico }) => isEmpty(portico),
    reason: 'Synapse gives the words of a search where there is nothing in which to highlight them.',
  },
  {
    what: /^GET .*(?:state|members|messages|context\/\$|initialSync)(?:,|$)/,
    where: /\[\d+\]\.unsigned\.(?:prev_content|prev_sender)$/,
    when: onlyPortico,
    reason: 'Synapse says what state has replaced only of events that it has not read from its database since.',
  },
  {
    what: /^GET v3\/pushers/,
    where: /\.pushers\[\d+\]\.(?:org\.matrix\.msc3881\.\w+|profile_tag)$/,
    when: ({ portico, synapse }) => synapse === undefined || (portico === undefined && synapse === ''),
    reason:
      'Portico says of pushers for which device they are and whether they are on. Synapse has a tag that is empty.',
  },
  {
    what: /^PUT v3\/presence/,
    when: are({ status: 400, errcode: 'M_INVALID_PARAM' }, { status: 400, errcode: 'M_UNKNOWN' }),
    reason: 'Synapse has no code for a presence that there is not.',
  },
  {
    what: /^POST v3\/user_directory/,
    where: /\.(?:avatar_url|display_name)$/,
    when: ({ portico, synapse }) => portico === undefined && synapse === null,
    reason: 'Synapse says by null that somebody has no name or picture.',
  },
  {
    what: /^POST v3\/user_directory/,
    where: /\.results$/,
    when: ({ portico, synapse }) => !isEmpty(portico) && isEmpty(synapse),
    reason: 'Rooms that are listed are public here: who is in them is found.',
  },
  {
    what: /^POST v3\/user\/@\/filter$/,
    when: are({ status: 400, errcode: 'M_BAD_JSON' }, { status: 400, errcode: 'M_UNKNOWN' }),
    reason: 'Synapse has no code for a filter that is none.',
  },
  {
    what: /^sync/,
    where: /\.typing$/,
    when: ({ synapse }) => synapse === null,
    reason: 'Synapse does not say to those who come who is typing already.',
  },
  {
    what: /^GET .*\/initialSync(?:,|$)/,
    where: /^\.body\.(?:visibility|presence|receipts|.*\.m\.relations)$/,
    when: ({ portico, synapse }) => portico === undefined || synapse === undefined,
    reason:
      'Synapse leaves out whether the room is listed and what is related to events, and adds presence and receipts, of which the specification says nothing.',
  },
  {
    what: /^GET .*\/initialSync(?:,|$)/,
    where: /^\.body\.account_data$/,
    when: ({ portico, synapse }) =>
      isEmpty(portico) && isList(synapse) && synapse.every((each) => isEmpty(objectAt(each, 'content'))),
    reason: 'Account data that is empty is deleted: Synapse gives it in a first sync of the old kind as well.',
  },
  {
    what: /^POST v3\/publicRooms$/,
    where: /\.total_room_count_estimate$/,
    when: ({ portico, synapse }) => Number(portico) > Number(synapse),
    reason: 'The estimate counts those rooms, too, into which people come by invitation alone.',
  },
  {
    where: /\.redacted_because\.unsigned\.m\.relations$/,
    when: onlyPortico,
    reason: 'Portico says of events within events, too, what is related to them.',
  },
  {
    what: /^sync with a filter/,
    where: /^\.rooms\.[^.]+(?::[^.]+\.localhost)?$/,
    when: ({ portico, synapse }) => synapse === undefined && isDeepStrictEqual(portico, { section: 'leave' }),
    reason: 'Synapse leaves out a room of which a filter leaves nothing: somebody was banned from it all the same.',
  },
  {
    what: /^POST v3\/publicRooms$/,
    where: /\.guest_can_join$/,
    when: ({ portico, synapse }) => portico === false && synapse === true,
    reason: 'Synapse lets guests into a room that replaces one which says nothing of them.',
  },
  {
    what: /^sync/,
    where: /^\.rooms\.[^.]+(?::[^.]+\.localhost)?$/,
    when: ({ portico, synapse }) => portico === undefined && isObject(synapse) && isKickedFrom(synapse),
    reason:
      'Who was kicked from a room has left it, and is not told of it at a first sync: with Synapse that is so where they left themselves.',
  },
  {
    what: /^GET v3\/devices$/,
    where: /\.last_seen_(?:ts|ip)$/,
    when: ({ portico, synapse }) => portico === undefined || synapse === undefined,
    reason: 'When a device was seen is written down a little later.',
  },
  {
    what: /^sync with a filter for rooms/,
    where: /^\.rooms\.[^.]+(?::[^.]+\.localhost)?\.accountData\./,
    when: onlyPortico,
    reason: 'With Synapse a filter for rooms leaves out what somebody keeps for them.',
  },
  {
    what: /^sync with a filter/,
    where: /^\.rooms\.[^.]+(?::[^.]+\.localhost)?$/,
    when: ({ portico, synapse }) =>
      portico === undefined &&
      isObject(synapse) &&
      objectsAt(synapse, 'timeline').every(({ type }) => type === 'm.room.create'),
    reason:
      'A filter leaves out a room with all that is kept for it: Synapse leaves the latter, and the create event of version 12, which has no room ID.',
  },
  {
    what: /^GET .*\/(?:messages|context\/\$), of a room with hidden history$/,
    where: /\.(?:chunk|events_before|events_after|end)$/,
    when: ({ synapse }) => isEmpty(synapse),
    reason:
      'Synapse takes from the next events of a room those that somebody may see, Portico the next of those that they may see; and it knows what visibility was before only of events that it has not read from its database since.',
  },
  {
    what: /^GET .*\/context\/\$/,
    when: are(notFound, forbidden),
    reason: 'An event that somebody may not see is not there: Synapse says that they may not.',
  },
  {
    what: /^POST v3\/search/,
    where: /\.groups\..*\.order$/,
    when: ({ portico, synapse }) =>
      Number.isInteger(portico) && typeof synapse === 'number' && !Number.isInteger(synapse),
    reason: 'Groups are in the order of their best results: Synapse gives the rank of one of them.',
  },
  {
    what: /^GET v3\/notifications/,
    where: /\.notifications$/,
    when: ({ portico, synapse }) => isEmpty(synapse) && isList(portico) && portico.every(isInvitation),
    reason: 'Synapse does not notify those who are invited to rooms whose history is for members.',
  },
  {
    what: /^sync with a filter/,
    where: /^\.invites\./,
    when: onlySynapse,
    reason: 'A filter that leaves out a room leaves out the invitation to it: Synapse gives that.',
  },
  {
    where: /\.next_token$/,
    when: ({ synapse }) => synapse === null,
    reason: 'Synapse says by null that there is no more.',
  },
];

/** Why a difference is as it should be, if it is known. */
export function reasonFor(what: string, difference: Difference): string | undefined {
  return known.find(
    (each) =>
      (each.what?.test(what) ?? true) &&
      (each.where?.test(difference.where) ?? true) &&
      (each.when?.(difference) ?? true),
  )?.reason;
}
