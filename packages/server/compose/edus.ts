import type { Database } from '@portico/storage';
import type { Logger } from '../observability/logger.ts';
import { createFindEduMembers } from '../services/federation/receiving/edu-members.ts';
import type { EduHandlers } from '../services/federation/receiving/edus.ts';
import type { Outbox } from '../services/federation/sender/outbox.ts';
import type { ToDevice } from '../services/to-device/to-device.ts';
import { toDeviceEdu } from '../services/to-device/to-device-edu.ts';
import { receiptEdu } from '../services/receipts/receipt-edu.ts';
import { sendTyping } from '../services/typing/send-typing.ts';
import type { Typing } from '../services/typing/typing.ts';
import { typingEdu } from '../services/typing/typing-edu.ts';

type Context = {
  readonly db: Database;
  readonly serverName: string;
  readonly outbox: Outbox;
  readonly typing: Typing;
  readonly toDevice: ToDevice;
  readonly now: () => number;
  readonly log: Logger;
};

/** What travels between servers beside events: who takes what comes in, and who sends. */
export function createEdus({ db, serverName, outbox, typing, toDevice, log, now }: Context): EduHandlers {
  const findMembers = createFindEduMembers(db, serverName);
  const onFailure = (error: unknown) => log.error({ error }, 'Telling other servers who is typing failed');
  sendTyping({ db, typing, outbox, serverName, onFailure });
  return new Map([
    ['m.typing', typingEdu({ typing, findMembers })],
    ['m.receipt', receiptEdu({ db, findMembers, now })],
    ['m.direct_to_device', toDeviceEdu({ db, toDevice, now })],
  ]);
}
