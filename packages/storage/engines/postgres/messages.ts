import { randomBytes } from 'node:crypto';
import type { Client } from 'pg';
import type { ProcessMessages } from '../../database.ts';
import type { StorageLog } from '../options.ts';
import { answerInTime } from './answer-in-time.ts';
import { runBatch, type Step } from './batch.ts';
import { createLink } from './link.ts';
import { sessionSetup } from './support.ts';

const sendMessage = {
  name: 'messages.send',
  text: `select cast(pg_notify('portico_messages', $1) as text) as sent`,
};

/** Whoever only listens would not notice that nobody is there any more. */
const heartbeat: Step = { statement: { name: 'messages.heartbeat', text: 'select 1' }, params: [], rows: false };

/** PostgreSQL takes less than 8000 bytes in a notification; the topic and the sender need some of them. */
export const maxMessageBytes = 7500;
/** Messages that wait for the connection. What does not fit is dropped, the oldest first. */
const maxWaiting = 5000;
const perBatch = 100;
/** In milliseconds. */
const statementTimeout = 10_000;
const usualAnswerTimeout = 15_000;

/** Messages between processes, by notifications on a connection of their own. */
export async function createMessages(
  url: string,
  log: StorageLog,
  answerTimeout = usualAnswerTimeout,
): Promise<ProcessMessages & { readonly close: () => Promise<void> }> {
  const self = randomBytes(6).toString('hex');
  const listeners = new Map<string, Set<(text: string) => void>>();
  const waiting: string[] = [];
  let sending = false;
  const ask = (client: Client, steps: readonly Step[]) =>
    answerInTime(client, answerTimeout, () => runBatch(client, steps));

  function receive(payload: string): void {
    const [, sender, topic = '', text = ''] = /^(\S+) (\S+) (.*)$/s.exec(payload) ?? [];
    if (sender === undefined || sender === self) return;
    for (const listener of listeners.get(topic) ?? []) {
      try {
        listener(text);
      } catch (error) {
        log('error', 'A listener for messages of other processes failed', { error });
      }
    }
  }

  async function flush(): Promise<void> {
    if (sending) return;
    sending = true;
    try {
      while (waiting.length > 0) {
        const client = link.client();
        if (client === undefined) return;
        const batch = waiting.splice(0, perBatch);
        await ask(
          client,
          batch.map((text) => ({ statement: sendMessage, params: [text], rows: false })),
        );
      }
    } catch (error) {
      log('warn', 'Other processes could not be told something', { error });
    } finally {
      sending = false;
    }
  }

  const link = await createLink({
    connect: { url, name: 'portico messages', statementTimeout, setup: sessionSetup },
    log,
    async up(client) {
      client.on('notification', ({ payload }) => receive(payload ?? ''));
      await client.query('listen portico_messages');
      setImmediate(() => void flush());
    },
  });

  const beating = setInterval(() => {
    const client = link.client();
    // The link says so where the connection is lost.
    if (client !== undefined) ask(client, [heartbeat]).catch(() => undefined);
  }, answerTimeout);

  return {
    isShared: true,
    send(topic, text) {
      if (Buffer.byteLength(text) > maxMessageBytes) throw new RangeError('a message to other processes is too long');
      if (waiting.length >= maxWaiting) waiting.shift();
      waiting.push(`${self} ${topic} ${text}`);
      void flush();
    },
    on(topic, listener) {
      const ofTopic = listeners.get(topic) ?? new Set();
      listeners.set(topic, ofTopic.add(listener));
      return () => ofTopic.delete(listener);
    },
    async close() {
      // What was sent last is what others wait for when this process ends.
      clearInterval(beating);
      await flush();
      await link.close();
    },
  };
}
