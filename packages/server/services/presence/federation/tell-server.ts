import type { JsonObject } from '@portico/protocol';
import { lostSteps, type Recipients } from '@portico/protocol/privacy/presence/recipients.ts';
import { runSteps } from '@portico/protocol/steps.ts';
import type { Outbox, OutboxEntry } from '../../federation/sender/outbox.ts';
import { inSteps } from '../../in-steps.ts';
import type { OwnPeople } from '../own-people.ts';
import { lookOf, nothingToSee, type PresenceView } from '../view.ts';
import { lastContent, pushContent } from './pushes.ts';
import type { SentRecords } from './sent-records.ts';
import type { ToldRecords } from './told-records.ts';

/** Tells one server of one person, and takes back what those know who are to know it no longer. */
export interface TellServer {
  /** As somebody looks now; `sharesRoom` if the server is in a room of theirs. */
  tell(userId: string, host: string, recipients: Recipients, sharesRoom: boolean): Promise<void>;
  /** Says again how people look, who have not changed. */
  repeat(host: string, people: ReadonlyMap<string, Recipients>): void;
}

type Dependencies = {
  readonly own: Pick<OwnPeople, 'known'>;
  readonly sent: Pick<SentRecords, 'find' | 'note' | 'drop' | 'lost'>;
  readonly told: Pick<ToldRecords, 'known' | 'forgotten' | 'over'>;
  readonly outbox: Pick<Outbox, 'put'>;
  readonly now: () => number;
};

const type = 'm.presence';

export function createTellServer({ own, sent, told, outbox, now }: Dependencies): TellServer {
  let lastOnes = 0;

  /** What takes time is worked out first: what is put belongs together. */
  async function tell(userId: string, host: string, recipients: Recipients, sharesRoom: boolean): Promise<void> {
    const before = sent.find(userId, host);
    // Also those who are still to be told that it is over: what is told now may take the place of that.
    const toldBefore = before ? [before.recipients, ...told.forgotten(userId, host)] : told.known(userId, host);
    const lost: (readonly [Recipients, (hasArrived: boolean) => void])[] = [];
    for (const each of toldBefore) {
      const some = await inSteps(lostSteps(each, recipients));
      if (some.kind !== 'nobody') lost.push([some, await inSteps(told.over(userId, host, some))]);
    }
    for (const [some, done] of lost) takeBack(userId, host, some, done);
    const view = own.known(userId);
    const look = lookOf(view);
    if (look === '' && toldBefore.length > 0 && recipients.kind !== 'nobody') {
      const content = pushContent(userId, view ?? nothingToSee, recipients, now());
      put(userId, host, content, { urgent: true, weighty: true, done: runSteps(told.over(userId, host, 'all')) });
    }
    if (look === '' || view === undefined || recipients.kind === 'nobody') return sent.drop(userId, host);
    // A server may drop what it gets by patterns alone while it shares no room.
    const print = `${look}\n${sharesRoom}`;
    const isForSame = before !== undefined && lost.length === 0 && areAsMany(before.recipients, recipients);
    sent.note(userId, host, { print, recipients });
    if (before?.print !== print || !isForSame) say(userId, host, view, recipients, true);
  }

  /** If it does not arrive, it is said again once it can. */
  function say(userId: string, host: string, view: PresenceView, recipients: Recipients, urgent: boolean): void {
    const done = (hasArrived: boolean): void => {
      if (!hasArrived) sent.lost(userId, host);
    };
    put(userId, host, pushContent(userId, view, recipients, now()), { urgent, done });
  }

  function put(
    userId: string,
    host: string,
    content: JsonObject,
    how: Pick<OutboxEntry, 'urgent' | 'weighty' | 'done'> & { readonly key?: string },
  ): void {
    outbox.put([host], { key: `${type} ${userId}`, type, content, lasting: true, ...how });
  }

  function takeBack(userId: string, host: string, lost: Recipients, done: (hasArrived: boolean) => void): void {
    // A key of its own: nothing that comes later may take its place before it has arrived.
    const key = `${type} ${userId} ${++lastOnes}`;
    put(userId, host, lastContent(userId, lost, now()), { key, urgent: true, weighty: true, done });
  }

  /** Other servers take for offline whom they have not heard of for half an hour. */
  function repeat(host: string, people: ReadonlyMap<string, Recipients>): void {
    let left = people.size;
    for (const [userId, recipients] of people) {
      left -= 1;
      const view = own.known(userId);
      if (view !== undefined) say(userId, host, view, recipients, left === 0);
    }
  }

  return { tell, repeat };
}

function areAsMany(one: Recipients, other: Recipients): boolean {
  if (one.kind !== 'listed' || other.kind !== 'listed') return one.kind === other.kind;
  return one.recipients.length === other.recipients.length;
}
