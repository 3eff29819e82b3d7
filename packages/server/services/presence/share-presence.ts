import type { InboundList } from '@portico/protocol/privacy/presence/inbound-list.ts';
import type { ProcessMessages } from '@portico/storage';
import type { After } from '../sync/waiting.ts';
import type { Here, OwnPeople } from './own-people.ts';
import type { RemotePeople } from './remote-people.ts';
import type { PresenceView } from './view.ts';

/**
 * Lets all processes that share a database know the same of everybody: each tells the others what the devices say that turn to
 * it, and what other servers have told it. Who is told what of that, each works out for those who turn to it.
 */
export interface SharedPresence {
  /** Another server's word has come in here. */
  receive(userId: string, view: PresenceView, list: InboundList): void;
  close(): void;
}

type Dependencies = {
  readonly messages: ProcessMessages;
  readonly own: Pick<OwnPeople, 'onHere' | 'allHere' | 'setElsewhere'>;
  readonly remote: Pick<RemotePeople, 'receive' | 'recall' | 'all'>;
  /** What this process is called. */
  readonly process: string;
  readonly now: () => number;
  readonly after: After;
};

type Message =
  | { readonly kind: 'hello' | 'alive' | 'bye'; readonly process: string }
  | { readonly kind: 'here'; readonly process: string; readonly people: readonly (readonly [string, Here])[] }
  | { readonly kind: 'push'; readonly process: string; readonly push: SharedPush };

/** A push without the sets that JSON does not have. */
type SharedPush = {
  readonly userId: string;
  readonly view: PresenceView;
  readonly users?: readonly string[];
  readonly globs?: readonly string[];
  /** How long ago that was said, in milliseconds, where it is told once more. */
  readonly age?: number;
};

const topic = 'presence';
const beatEvery = 10_000;
/** A process that has not been heard of for that long is gone, and so are those who were online by way of it. */
const aliveFor = 30_000;
/** What goes into one message, in bytes; databases have their limits. */
const perMessage = 6000;
const perList = 1500;
const longest = 7400;

export function sharePresence({ messages, own, remote, process, now, after }: Dependencies): SharedPresence {
  if (!messages.isShared) return { receive: remote.receive, close: () => undefined };
  const heard = new Map<string, { at: number; readonly people: Set<string> }>();
  const changed = new Map<string, Here>();
  let isClosed = false;
  let isFlushing = false;

  function send(message: Message): void {
    const text = JSON.stringify(message);
    // Only a status made to be long when it is written down does not fit.
    if (Buffer.byteLength(text) <= longest) messages.send(topic, text);
  }

  function tell(people: Iterable<readonly [string, Here]>): void {
    for (const part of portions(people, perMessage)) send({ kind: 'here', process, people: part });
  }

  function flushSoon(): void {
    if (isFlushing) return;
    isFlushing = true;
    queueMicrotask(() => {
      isFlushing = false;
      if (isClosed) return;
      tell(changed);
      changed.clear();
    });
  }

  function tellPush(list: InboundList, told: Pick<SharedPush, 'userId' | 'view' | 'age'>): void {
    if (list.kind === 'everyone') return send({ kind: 'push', process, push: told });
    for (const users of portions(list.users, perList)) send({ kind: 'push', process, push: { ...told, users } });
    for (const globs of portions(list.globs, perList)) {
      send({ kind: 'push', process, push: { ...told, users: [], globs } });
    }
  }

  function drop(name: string): void {
    const gone = heard.get(name);
    heard.delete(name);
    for (const userId of gone?.people ?? []) own.setElsewhere(userId, name, undefined);
  }

  function takeHere(name: string, people: readonly (readonly [string, Here])[]): void {
    const known = heard.get(name) ?? { at: now(), people: new Set() };
    heard.set(name, known);
    for (const [userId, here] of people) {
      if (here.state === 'offline') known.people.delete(userId);
      else known.people.add(userId);
      own.setElsewhere(userId, name, here);
    }
  }

  function introduce(): void {
    tell(own.allHere());
    for (const [userId, { view, list, at }] of remote.all()) tellPush(list, { userId, view, age: now() - at });
  }

  const stop = messages.on(topic, (text) => {
    const message = JSON.parse(text) as Message;
    const { process: name } = message;
    const known = heard.get(name);
    if (known !== undefined) known.at = now();
    if (message.kind === 'here') takeHere(name, message.people);
    else if (message.kind === 'push') {
      const { userId, view, users, globs = [], age } = message.push;
      const list: InboundList =
        users === undefined ? { kind: 'everyone' } : { kind: 'listed', users: new Set(users), globs };
      if (age === undefined) remote.receive(userId, view, list);
      else remote.recall(userId, view, list, age);
    } else if (message.kind === 'bye') drop(name);
    else {
      if (known === undefined) heard.set(name, { at: now(), people: new Set() });
      if (message.kind === 'hello') introduce();
      // It was taken for gone, or is older than this one and has missed its greeting.
      else if (known === undefined) send({ kind: 'hello', process });
    }
  });

  let stopTimer = after(beatEvery, beat);
  function beat(): void {
    send({ kind: 'alive', process });
    for (const [name, { at }] of heard) if (now() - at >= aliveFor) drop(name);
    stopTimer = after(beatEvery, beat);
  }

  own.onHere((userId, here) => {
    changed.set(userId, { ...changed.get(userId), ...here });
    flushSoon();
  });
  send({ kind: 'hello', process });

  return {
    receive(userId, view, list) {
      remote.receive(userId, view, list);
      tellPush(list, { userId, view });
    },
    close() {
      isClosed = true;
      stop();
      stopTimer();
      send({ kind: 'bye', process });
    },
  };
}

/** Divides things so that each part is at most so long as JSON, in bytes, or a single one of them. */
function* portions<T>(items: Iterable<T>, most: number): Generator<readonly T[], void, void> {
  let part: T[] = [];
  let size = 0;
  for (const item of items) {
    const length = Buffer.byteLength(JSON.stringify(item)) + 1;
    if (part.length > 0 && size + length > most) {
      yield part;
      [part, size] = [[], 0];
    }
    part.push(item);
    size += length;
  }
  if (part.length > 0) yield part;
}
