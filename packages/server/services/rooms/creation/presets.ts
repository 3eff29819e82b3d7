import type { JsonObject } from '@portico/protocol';
import { type Draft, stateDraft } from '../draft.ts';

export type Preset = 'private_chat' | 'trusted_private_chat' | 'public_chat';

type PresetRules = { readonly joinRule: string; readonly historyVisibility: string; readonly guestAccess: string };

/** {@link https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3createroom} */
const presets: Readonly<Record<Preset, PresetRules>> = {
  private_chat: { joinRule: 'invite', historyVisibility: 'shared', guestAccess: 'can_join' },
  trusted_private_chat: { joinRule: 'invite', historyVisibility: 'shared', guestAccess: 'can_join' },
  public_chat: { joinRule: 'public', historyVisibility: 'shared', guestAccess: 'forbidden' },
};

/**
 * "If unspecified, the server should use the `visibility` to determine which preset to use. A visibility of `public`
 * equates to a preset of `public_chat` and `private` visibility equates to a preset of `private_chat`."
 */
export function presetOf(preset: Preset | undefined, visibility: 'public' | 'private' | undefined): Preset {
  return preset ?? (visibility === 'public' ? 'public_chat' : 'private_chat');
}

/** The state events of a preset, without those that `overridden` says something else sets. */
export function presetDrafts(
  sender: string,
  preset: Preset,
  overridden: (type: string, stateKey: string) => boolean,
): Draft[] {
  const rules = presets[preset];
  const contents: readonly (readonly [string, JsonObject])[] = [
    ['m.room.join_rules', { join_rule: rules.joinRule }],
    ['m.room.history_visibility', { history_visibility: rules.historyVisibility }],
    // "If this event is absent, servers should act as if it is present and has the value `forbidden`."
    ...(rules.guestAccess === 'forbidden'
      ? []
      : [['m.room.guest_access', { guest_access: rules.guestAccess }] as const]),
  ];
  return contents.filter(([type]) => !overridden(type, '')).map(([type, content]) => stateDraft(sender, type, content));
}
