import { isUserId, type JsonObject, type RoomVersionRules } from '@portico/protocol';
import { MatrixError } from '../../../errors/matrix-error.ts';
import { type Draft, memberDraft, stateDraft } from '../draft.ts';
import { refuseImpossible } from '../set-state.ts';
import { initialPowerLevels } from './power-levels.ts';
import { type Preset, presetDrafts, presetOf } from './presets.ts';

export type InitialStateEvent = {
  readonly type: string;
  readonly state_key?: string;
  readonly content: JsonObject;
};

/** What the body of `POST /createRoom` says about the room's events. */
export type RoomRequest = {
  readonly preset?: Preset;
  readonly visibility?: 'public' | 'private';
  readonly name?: string;
  readonly topic?: string;
  readonly invite?: readonly string[];
  readonly is_direct?: boolean;
  readonly creation_content?: JsonObject;
  readonly initial_state?: readonly InitialStateEvent[];
  readonly power_level_content_override?: JsonObject;
};

type Options = {
  readonly rules: RoomVersionRules;
  readonly creator: string;
  /** `displayname` and `avatar_url` of the creator, for the join. */
  readonly creatorProfile: JsonObject;
  /** The full alias made from `room_alias_name`. */
  readonly alias: string | undefined;
};

/**
 * The events of a new room, without the invitations, in the order that the spec gives.
 *
 * {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom}
 */
export function initialEvents(request: RoomRequest, options: Options): Draft[] {
  const { rules, creator, alias } = options;
  const preset = presetOf(request.preset, request.visibility);
  const invited = request.invite ?? [];
  const create = createContent(request, options, preset, invited);
  const initial = initialStateDrafts(creator, request);
  const isSetInitially = (type: string, stateKey: string): boolean =>
    initial.some((draft) => draft.type === type && draft.stateKey === stateKey);
  return [
    stateDraft(creator, 'm.room.create', create),
    memberDraft(creator, creator, { ...options.creatorProfile, membership: 'join' }),
    ...(isSetInitially('m.room.power_levels', '') && request.power_level_content_override === undefined
      ? []
      : [
          stateDraft(
            creator,
            'm.room.power_levels',
            initialPowerLevels({
              rules,
              creator,
              additionalCreators: stringsOf(create['additional_creators']),
              preset,
              invited,
              override: request.power_level_content_override,
            }),
          ),
        ]),
    ...(alias === undefined ? [] : [stateDraft(creator, 'm.room.canonical_alias', { alias })]),
    ...presetDrafts(creator, preset, isSetInitially),
    ...initial,
    ...(request.name === undefined ? [] : [stateDraft(creator, 'm.room.name', { name: request.name })]),
    ...(request.topic === undefined ? [] : [stateDraft(creator, 'm.room.topic', topicContent(request.topic))]),
  ];
}

/** {@link https://spec.matrix.org/v1.19/client-server-api/#mroomtopic} */
function topicContent(topic: string): JsonObject {
  return { topic, 'm.topic': { 'm.text': [{ body: topic, mimetype: 'text/plain' }] } };
}

function createContent(
  request: RoomRequest,
  { rules, creator }: Options,
  preset: Preset,
  invited: readonly string[],
): JsonObject {
  const { creator: _ignored, ...given } = request.creation_content ?? {};
  const federates = given['m.federate'];
  if (federates !== undefined && typeof federates !== 'boolean') {
    throw new MatrixError('request.bad-json', { message: 'creation_content["m.federate"] must be true or false.' });
  }
  const content: Record<string, JsonObject[string]> = { ...given, room_version: rules.version };
  if (rules.auth.requireCreator) content['creator'] = creator;
  if (!rules.auth.privilegedCreators) return content;
  const additional = content['additional_creators'];
  checkAdditionalCreators(additional);
  // "When using the trusted_private_chat preset, the server SHOULD combine additional_creators specified here and the
  // invite array into the eventual m.room.create event's additional_creators, deduplicating between the two parameters."
  const combined = [...(additional ?? []), ...(preset === 'trusted_private_chat' ? invited : [])];
  if (combined.length > 0 || additional !== undefined) content['additional_creators'] = [...new Set(combined)];
  return content;
}

/** "Takes precedence over events set by `preset`, but gets overridden by `name` and `topic` keys." */
function initialStateDrafts(creator: string, request: RoomRequest): Draft[] {
  const overridden = new Set<string>();
  if (request.name !== undefined) overridden.add('m.room.name');
  if (request.topic !== undefined) overridden.add('m.room.topic');
  return (request.initial_state ?? [])
    .filter(({ type, state_key: stateKey = '' }) => !(stateKey === '' && overridden.has(type)))
    .map(({ type, state_key: stateKey = '', content }) => {
      refuseImpossible({ type, stateKey, content });
      return stateDraft(creator, type, content, stateKey);
    });
}

/** Throws for what is no array of user IDs. */
export function checkAdditionalCreators(value: unknown): asserts value is string[] | undefined {
  const isList = Array.isArray(value) && value.every((item) => typeof item === 'string' && isUserId(item));
  if (value === undefined || isList) return;
  throw new MatrixError('request.bad-json', { message: 'additional_creators must be an array of user IDs.' });
}

function stringsOf(value: JsonObject[string] | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** The content of the invitations that a request's `invite` implies. */
export function invitationContent(isDirect: boolean | undefined, profile: JsonObject): JsonObject {
  return { ...profile, membership: 'invite', ...(isDirect === true ? { is_direct: true } : {}) };
}
