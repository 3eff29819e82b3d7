import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { JsonObject } from '@portico/protocol';
import { decidePresence } from '@portico/protocol/privacy/presence/decide.ts';
import { canMatchServer } from '@portico/protocol/privacy/presence/glob-reach.ts';
import { matchRecipient } from '@portico/protocol/privacy/presence/match-recipient.ts';
import { openPolicy, type PresencePolicy } from '@portico/protocol/privacy/presence/policy.ts';
import { parsePresenceSharing } from '@portico/protocol/privacy/presence/sharing.ts';
import { readVectors, type Cases } from './vector-file.ts';

type Decision = {
  readonly name: string;
  readonly config: JsonObject | null;
  readonly overrides?: JsonObject;
  readonly ignored?: readonly string[];
  readonly recipient: string;
  readonly allowed: boolean;
  readonly rule: string;
};
type Decisions = Cases<Decision> & { readonly person: string; readonly rooms: Readonly<Record<string, string[]>> };

suite('who gets a presence:', () => {
  const { person, rooms, cases } = readVectors('presence-sharing/decisions.json') as Decisions;
  for (const { name, config, overrides = {}, ignored = [], recipient, allowed, rule } of cases) {
    test(name, () => {
      const server = parsePresenceSharing(overrides);
      assert.ok(server.kind === 'lists');
      const policy: PresencePolicy = {
        ...(config === null ? openPolicy : { source: 'own', own: parsePresenceSharing(config) }),
        overrides: server,
      };
      const sharedRooms = Object.keys(rooms).filter(
        (room) => rooms[room]?.includes(person) && rooms[room].includes(recipient),
      );
      const facts = { isSelf: person === recipient, isIgnored: ignored.includes(recipient), sharedRooms };
      const decision = decidePresence(policy, matchRecipient(policy, recipient), facts);
      assert.deepEqual([decision.allowed, decision.rule], [allowed, rule]);
    });
  }
});

type Reach = { readonly name: string; readonly glob: string; readonly can: string[]; readonly cannot: string[] };

suite('which servers a glob can match:', () => {
  const { cases } = readVectors('presence-sharing/globs-and-servers.json') as Cases<Reach>;
  for (const { name, glob, can, cannot } of cases) {
    test(name, () => {
      assert.deepEqual(
        [...can, ...cannot].filter((server) => canMatchServer(glob, server)),
        can,
      );
    });
  }
});
