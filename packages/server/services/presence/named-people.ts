import { inSteps } from '../in-steps.ts';
import { createNamedRecipients, type NamedRecipients } from './named-recipients.ts';
import type { Policies } from './policies.ts';
import type { RemotePeople } from './remote-people.ts';

/** By whose names people let themselves be seen, in their policies or in what another server sends of them. */
export interface NamedPeople {
  /** Works out anew by whose names, and whether by patterns, somebody may be seen. */
  index(userId: string): Promise<void>;
  drop(userId: string): Promise<void>;
  /** Whether the settings of somebody of this server are others than those by which they were indexed. */
  isOutdated(userId: string): Promise<boolean>;
  /** Who may see somebody because they are named. */
  namesOf(userId: string): ReturnType<NamedRecipients['namesOf']>;
  /** Whether somebody may be seen by all whom a pattern matches. */
  hasPatterns(userId: string): boolean;
  /** Of those indexed, whom somebody may see: they are named, or a pattern may match them. Without a common room, too. */
  whomMaySee(recipient: string): Generator<string, void, void>;
}

type Dependencies = {
  readonly serverName: string;
  readonly isOwn: (userId: string) => boolean;
  readonly remote: Pick<RemotePeople, 'namesOf'>;
  readonly policies: Policies;
};

const noNames: readonly string[] = [];

export function createNamedPeople({ serverName, isOwn, remote, policies }: Dependencies): NamedPeople {
  const ofOwn = createNamedRecipients();
  const ofRemote = createNamedRecipients();
  /** Of the policies by which those of this server are indexed. */
  const versions = new Map<string, string>();
  const indexFor = (userId: string): NamedRecipients => (isOwn(userId) ? ofOwn : ofRemote);

  return {
    async index(userId) {
      if (!isOwn(userId)) return inSteps(ofRemote.set(userId, remote.namesOf(userId), false));
      const { policy, version } = await policies.load(userId);
      versions.set(userId, version);
      if (policy.own.kind === 'malformed') return inSteps(ofOwn.delete(userId));
      const { usersByServer, globsByServer } = policy.own.allowed;
      const hasPatterns = (await inSteps(globsByServer.ofSteps(serverName, 1))).length > 0;
      await inSteps(ofOwn.set(userId, usersByServer.get(serverName) ?? noNames, hasPatterns));
    },
    async drop(userId) {
      await inSteps(indexFor(userId).delete(userId));
      versions.delete(userId);
    },
    async isOutdated(userId) {
      const { version } = await policies.load(userId);
      return versions.get(userId) !== version;
    },
    namesOf: (userId) => indexFor(userId).namesOf(userId),
    hasPatterns: (userId) => indexFor(userId).hasPatterns(userId),
    *whomMaySee(recipient) {
      yield* ofOwn.naming(recipient);
      yield* ofRemote.naming(recipient);
      yield* ofOwn.withPatterns;
    },
  };
}
