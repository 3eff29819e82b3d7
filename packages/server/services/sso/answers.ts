import type { Database, WriteSet } from '@portico/storage';
import { findRefusal } from '../../errors/from-storage.ts';
import { MatrixError } from '../../errors/matrix-error.ts';
import type { IdentityProvider } from '../../config/identity-provider.ts';
import type { Confirmations } from './confirmations.ts';
import type { Entry } from './entry.ts';
import type { ExternalLinks } from './external-links.ts';
import { isNameProblem, type Newcomers } from './newcomers.ts';
import { cameWith } from './person.ts';
import type { Running } from './running-logins.ts';
import { requireOpenAccount } from './standing.ts';
import { question, type SsoStep } from './steps.ts';

type Asked<S extends Running['step']> = Extract<Running, { step: S }>;

type Dependencies = {
  readonly db: Database;
  readonly newcomers: Newcomers;
  readonly entry: Entry;
  readonly links: ExternalLinks;
  readonly confirmations: Confirmations;
  readonly getProvider: (id: string) => IdentityProvider;
};

/** Goes on with what somebody has said yes to. What uses the question up is committed with what follows. */
export interface Answers {
  goOn(running: Running, useUp: (set: WriteSet) => void, name: string | undefined): Promise<SsoStep>;
}

export function createAnswers({ db, newcomers, entry, links, confirmations, getProvider }: Dependencies): Answers {
  async function takeName(asked: Asked<'name'>, useUp: (set: WriteSet) => void, name: string): Promise<SsoStep> {
    const { person, redirectUrl } = asked;
    newcomers.refuse(getProvider(person.provider), person);
    let next: SsoStep | undefined;
    try {
      await newcomers.create(person, name, (set, userId) => {
        useUp(set);
        next = entry.plan(set, { userId, redirectUrl, cameWith: cameWith(person) });
      });
    } catch (error) {
      const refusal = findRefusal(error);
      if (!isNameProblem(refusal)) throw error;
      return { ...question(asked), problem: refusal.message } as SsoStep;
    }
    if (next === undefined) throw new MatrixError('sso.over');
    return next;
  }

  async function link({ userId, person }: Asked<'link'>, useUp: (set: WriteSet) => void): Promise<SsoStep> {
    await requireOpenAccount(db, userId);
    await links.add(userId, person, useUp);
    return { kind: 'linked', userId, provider: person.provider };
  }

  async function confirm({ session }: Asked<'confirm'>, useUp: (set: WriteSet) => void): Promise<SsoStep> {
    await confirmations.pass(session, useUp);
    return { kind: 'confirmed' };
  }

  return {
    async goOn(running, useUp, name) {
      switch (running.step) {
        case 'provider':
          throw new MatrixError('sso.over');
        case 'name':
          return takeName(running, useUp, name ?? '');
        case 'hand-over':
          return entry.handOver(running, useUp);
        case 'confirm':
          return confirm(running, useUp);
        case 'link':
          return link(running, useUp);
        default:
          return running satisfies never;
      }
    },
  };
}
