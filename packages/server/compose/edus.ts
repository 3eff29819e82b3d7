import type { Database } from '@portico/storage';
import type { Logger } from '../observability/logger.ts';
import { createFindEduMembers } from '../services/federation/receiving/edu-members.ts';
import type { EduHandlers } from '../services/federation/receiving/edus.ts';
import type { Outbox } from '../services/federation/sender/outbox.ts';
import { sendTyping } from '../services/typing/send-typing.ts';
import type { Typing } from '../services/typing/typing.ts';
import { typingEdu } from '../services/typing/typing-edu.ts';

type Context = {
  readonly db: Database;
  readonly serverName: string;
  readonly outbox: Outbox;
  readonly typing: Typing;
  readonly log: Logger;
};

/** What travels between servers beside events: who takes what comes in, and who sends. */
export function createEdus({ db, serverName, outbox, typing, log }: Context): EduHandlers {
  const findMembers = createFindEduMembers(db, serverName);
  const onFailure = (error: unknown) => log.error({ error }, 'Telling other servers who is typing failed');
  sendTyping({ db, typing, outbox, serverName, onFailure });
  return new Map([['m.typing', typingEdu({ typing, findMembers })]]);
}
