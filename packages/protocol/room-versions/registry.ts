import type { AuthRules, EventFormatRules, RedactionRules, RoomVersionRules } from './rules.ts';

type Changes = {
  readonly [Key in 'canonicalJson' | 'stateResolution' | 'enforceKeyValidity']?: RoomVersionRules[Key];
} & {
  readonly event?: Partial<EventFormatRules>;
  readonly auth?: Partial<AuthRules>;
  readonly redaction?: Partial<RedactionRules>;
};

function extend(previous: RoomVersionRules, version: string, changes: Changes): RoomVersionRules {
  return Object.freeze({
    ...previous,
    ...changes,
    version,
    event: Object.freeze({ ...previous.event, ...changes.event }),
    auth: Object.freeze({ ...previous.auth, ...changes.auth }),
    redaction: Object.freeze({ ...previous.redaction, ...changes.redaction }),
  });
}

/** {@link https://spec.matrix.org/v1.19/rooms/v1/} */
const v1: RoomVersionRules = Object.freeze({
  version: '1',
  event: Object.freeze({
    eventId: 'explicit',
    references: 'pairs',
    roomId: 'opaque',
    redacts: 'top-level',
    createInAuthEvents: true,
  }),
  canonicalJson: 'lenient',
  stateResolution: 'v1',
  enforceKeyValidity: false,
  auth: Object.freeze({
    requireCreator: true,
    aliasesSpecialCase: true,
    redaction: 'domain',
    limitNotificationLevels: false,
    knocking: false,
    restrictedJoins: false,
    knockRestricted: false,
    integerPowerLevels: false,
    privilegedCreators: false,
    creator: 'content',
  }),
  redaction: Object.freeze({
    keepAliases: true,
    keepJoinRulesAllow: false,
    keepJoinAuthorisedVia: false,
    keepThirdPartyInviteSigned: false,
    keepCreateContent: false,
    keepPowerLevelsInvite: false,
    keepRedacts: false,
    keepObsoleteFields: true,
  }),
});

/** {@link https://spec.matrix.org/v1.19/rooms/v2/} */
const v2 = extend(v1, '2', { stateResolution: 'v2' });

/** {@link https://spec.matrix.org/v1.19/rooms/v3/} */
const v3 = extend(v2, '3', { event: { eventId: 'reference-hash', references: 'ids' }, auth: { redaction: 'none' } });

/** {@link https://spec.matrix.org/v1.19/rooms/v4/} */
const v4 = extend(v3, '4', { event: { eventId: 'reference-hash-url-safe' } });

/** {@link https://spec.matrix.org/v1.19/rooms/v5/} */
const v5 = extend(v4, '5', { enforceKeyValidity: true });

/** {@link https://spec.matrix.org/v1.19/rooms/v6/} */
const v6 = extend(v5, '6', {
  canonicalJson: 'strict',
  auth: { aliasesSpecialCase: false, limitNotificationLevels: true },
  redaction: { keepAliases: false },
});

/** {@link https://spec.matrix.org/v1.19/rooms/v7/} */
const v7 = extend(v6, '7', { auth: { knocking: true } });

/** {@link https://spec.matrix.org/v1.19/rooms/v8/} */
const v8 = extend(v7, '8', { auth: { restrictedJoins: true }, redaction: { keepJoinRulesAllow: true } });

/** {@link https://spec.matrix.org/v1.19/rooms/v9/} */
const v9 = extend(v8, '9', { redaction: { keepJoinAuthorisedVia: true } });

/** {@link https://spec.matrix.org/v1.19/rooms/v10/} */
const v10 = extend(v9, '10', { auth: { integerPowerLevels: true, knockRestricted: true } });

/** {@link https://spec.matrix.org/v1.19/rooms/v11/} */
const v11 = extend(v10, '11', {
  event: { redacts: 'content' },
  auth: { requireCreator: false, creator: 'sender' },
  redaction: {
    keepThirdPartyInviteSigned: true,
    keepCreateContent: true,
    keepPowerLevelsInvite: true,
    keepRedacts: true,
    keepObsoleteFields: false,
  },
});

/** {@link https://spec.matrix.org/v1.19/rooms/v12/} */
const v12 = extend(v11, '12', {
  event: { roomId: 'create-event', createInAuthEvents: false },
  stateResolution: 'v2.1',
  auth: { privilegedCreators: true },
});

const registry: ReadonlyMap<string, RoomVersionRules> = new Map(
  [v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12].map((rules) => [rules.version, rules]),
);

/** The rules of a room version, or `undefined` for a version this program does not know. */
export function findRoomVersion(version: string): RoomVersionRules | undefined {
  return registry.get(version);
}

/** Every known room version, oldest first. */
export const roomVersions: readonly RoomVersionRules[] = [...registry.values()];
