import type { ProcessMessages } from '@portico/storage';
import type { Typing } from './typing.ts';

const topic = 'typing';
type Message = readonly [roomNid: number, userId: string, typing: boolean];

/**
 * Lets all processes that share a database know who is typing: what comes in at one of them, from a client or from another
 * server, is told to the others.
 */
export function shareTyping(messages: ProcessMessages, typing: Typing): Typing {
  if (!messages.isShared) return typing;
  const send = (...message: Message) => messages.send(topic, JSON.stringify(message));
  const stop = messages.on(topic, (text) => typing.receive(...(JSON.parse(text) as Message)));
  typing.onLocalChange(({ roomNid, userId, typing: isTyping }) => send(roomNid, userId, isTyping));
  return {
    ...typing,
    receive(roomNid, userId, isTyping) {
      typing.receive(roomNid, userId, isTyping);
      send(roomNid, userId, isTyping);
    },
    close() {
      stop();
      typing.close();
    },
  };
}
