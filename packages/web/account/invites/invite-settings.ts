import {
  type InviteConfigType,
  inviteConfigTypes,
  type InviteListName,
  inviteLists,
  parseInviteConfig,
} from '@portico/protocol/privacy/invites/invite-config.ts';
import type { JsonObject } from '@portico/protocol/json/value.ts';
import { type Edit, listIn } from '../lists/edits.ts';
import type { StoredEvents } from '../lists/stored-events.ts';

const [stable, unstableLists] = inviteConfigTypes;

/** What a person wants done with somebody's invitations. */
export type Treatment = 'allowed' | 'ignored' | 'blocked';

export type Entry = { readonly list: InviteListName; readonly entry: string; readonly isServer: boolean };

/** The events that are kept, in the order in which they decide. */
export function keptEvents(events: StoredEvents): readonly (readonly [InviteConfigType, JsonObject])[] {
  return inviteConfigTypes.flatMap((type) => {
    const content = events.get(type);
    return content === undefined ? [] : [[type, content] as const];
  });
}

/** What all events together say of a treatment: an entry once, whichever of them it is in. */
export function entriesFor(events: StoredEvents, treatment: Treatment): readonly Entry[] {
  return inviteLists
    .filter((list) => list.startsWith(treatment))
    .flatMap((list) => {
      const found = keptEvents(events).flatMap(([, content]) => listIn(content, list) ?? []);
      const texts = found.filter((entry) => typeof entry === 'string');
      return [...new Set(texts)].map((entry) => ({ list, entry, isServer: list.endsWith('_servers') }));
    });
}

export function removeEntry(events: StoredEvents, { list, entry }: Entry): Edit[] {
  return keptEvents(events).map(([type]) => ({ type, kind: 'remove', list, entry }));
}

/** Goes to the event of the specification, unless somebody's app has written its older name only. */
export function addEntry(events: StoredEvents, { list, entry }: Pick<Entry, 'list' | 'entry'>): Edit {
  const isOlder = events.get(stable) === undefined && events.get(unstableLists) !== undefined;
  return { type: isOlder ? unstableLists : stable, kind: 'add', list, entry };
}

/** Whether nobody may invite the person who is not allowed by name. */
export function isClosed(events: StoredEvents): boolean {
  return keptEvents(events).some(([, content]) => content['default_action'] === 'block');
}

export function close(): Edit {
  return { type: stable, kind: 'set', name: 'default_action', value: 'block' };
}

export function open(events: StoredEvents): Edit[] {
  return keptEvents(events)
    .filter(([, content]) => content['default_action'] === 'block')
    .map(([type]) => ({ type, kind: 'set', name: 'default_action', value: undefined }));
}

/** Why the lists of an event count for nothing, and what would make them count. */
export type Flaw = { readonly kind: 'disabled' | 'malformed'; readonly repair: Edit };

export function flawsOf(events: StoredEvents): readonly Flaw[] {
  return keptEvents(events).flatMap(([type, content]): Flaw[] => {
    const { flaw } = parseInviteConfig(content);
    if (flaw === undefined) return [];
    if (flaw.kind === 'disabled') {
      return [{ kind: 'disabled', repair: { type, kind: 'set', name: 'enabled', value: true } }];
    }
    const texts = (listIn(content, flaw.list) ?? []).filter((entry) => typeof entry === 'string');
    return [{ kind: 'malformed', repair: { type, kind: 'set', name: flaw.list, value: texts } }];
  });
}
