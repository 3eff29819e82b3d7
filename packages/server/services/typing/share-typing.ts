import type { ProcessMessages } from '@portico/storage';
import type { Typing, TypingChange } from './typing.ts';

const topic = 'typing';
/** Of a user of this server, or of another one. */
type Message = TypingChange | readonly [roomNid: number, userId: string, typing: boolean];

/**
 * Lets all processes that share a database know who is typing: what comes in at one of them, from a client or from another
 * server, is told to the others. So is what other servers are to hear, since each of them is sent to by one process, whichever.
 */
export function shareTyping(messages: ProcessMessages, typing: Typing): Typing {
  if (!messages.isShared) return typing;
  const listeners: ((change: TypingChange) => void)[] = [];
  const announce = (change: TypingChange): void => {
    for (const listener of listeners) listener(change);
  };
  const send = (message: Message) => messages.send(topic, JSON.stringify(message));
  const stop = messages.on(topic, (text) => {
    const message = JSON.parse(text) as Message;
    if (!('roomId' in message)) return typing.receive(...message);
    typing.follow(message);
    announce(message);
  });
  typing.onLocalChange((change) => {
    send(change);
    announce(change);
  });
  return {
    ...typing,
    onLocalChange: (listener) => void listeners.push(listener),
    receive(roomNid, userId, isTyping) {
      typing.receive(roomNid, userId, isTyping);
      send([roomNid, userId, isTyping]);
    },
    close() {
      stop();
      typing.close();
    },
  };
}
