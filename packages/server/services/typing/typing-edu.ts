import type { EduHandler } from '../federation/receiving/edus.ts';
import { textOf, userOf } from '../federation/receiving/edus.ts';
import type { FindEduMembers } from '../federation/receiving/edu-members.ts';
import type { Typing } from './typing.ts';

type Dependencies = { readonly typing: Pick<Typing, 'receive'>; readonly findMembers: FindEduMembers };

/** {@link https://spec.matrix.org/v1.19/server-server-api/#typing-notifications} */
export function typingEdu({ typing, findMembers }: Dependencies): EduHandler {
  return {
    afterEvents: true,
    async receive({ origin, content }) {
      const { typing: isTyping } = content;
      const roomId = textOf(content['room_id']);
      const userId = userOf(origin, content['user_id']);
      if (roomId === undefined || typeof isTyping !== 'boolean' || userId === undefined) return;
      const [member] = await findMembers(origin, [[roomId, userId]]);
      if (member !== undefined) typing.receive(member.room_nid, userId, isTyping);
    },
  };
}
