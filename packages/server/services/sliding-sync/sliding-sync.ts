import { MatrixError } from '../../errors/matrix-error.ts';
import { memoryOf } from '../sync/sync-core.ts';
import { makeSlidingAnswer, type SlidingAnswer } from './answer.ts';
import type { CandidateDependencies } from './candidates.ts';
import type { Connections } from './connections.ts';
import { newConnection, type ConnectionState } from './connection-state.ts';
import { parseToDeviceSince, quietExtensions } from './extensions.ts';
import { hasNews, isOver, newsFor, passOver, startPoll, type Poll } from './poll.ts';
import { formatPos, parsePos, type Pos } from './pos.ts';
import type { SlidingRequest } from './request.ts';
import { stickyExtension } from './sticky-extension.ts';

export interface SlidingSync {
  /** The response as JSON text. */
  sync(request: SlidingRequest): Promise<string>;
}

/** What a request is answered with; what it changes is noted by then. */
type FinalAnswer = Omit<SlidingAnswer, 'isEmpty' | 'changes'>;

type Dependencies = CandidateDependencies & { readonly connections: Connections };

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186} */
export function createSlidingSync(deps: Dependencies): SlidingSync {
  const { core, connections } = deps;
  const { online } = core;
  const { db, now } = core.context;

  async function findState(request: SlidingRequest, pos: Pos | undefined): Promise<ConnectionState> {
    if (pos === undefined) return newConnection;
    const state = await connections.find(request, pos.connection, pos.serial);
    if (state === undefined) throw new MatrixError('sliding.unknown-pos');
    return state;
  }

  function acknowledgeToDevice({ userId, deviceId, extensions: { toDevice } }: SlidingRequest): void {
    const token = parseToDeviceSince(toDevice?.since);
    if (token === undefined) return;
    const { position: since, serials } = token;
    for (const { name, acknowledged } of core.context.streams) {
      if (name === 'to-device') acknowledged?.({ userId, deviceId, since, serial: serials.get('d') });
    }
  }

  async function begin(request: SlidingRequest): Promise<Poll> {
    const { userId, deviceId, connId } = request;
    const pos = request.pos === undefined ? undefined : parsePos(request.pos);
    if (request.pos !== undefined && pos === undefined) throw new MatrixError('sliding.unknown-pos');
    const state = await findState(request, pos);
    const token = pos && (await core.reach(pos.token, request));
    acknowledgeToDevice(request);
    const user = online.touch(userId);
    const memory = memoryOf(user, `${deviceId} sliding ${connId}`);
    if (token === undefined || memory.lastAnswer < token.position) memory.clear();
    return startPoll(core, request, { pos, token, state, user, memory });
  }

  /** Everything that is new, or `undefined` where that is nothing and there is time left to wait. */
  async function readNews(poll: Poll, onNothing: () => void): Promise<FinalAnswer | undefined> {
    const { request, user, state, since, serials, memory, changes, lists } = poll;
    poll.mayHaveOldSticky = false;
    const sent = changes.size === 0 ? state.rooms : new Map([...state.rooms, ...changes]);
    const pass = { request, user, sent, since, serials, extensions: poll.known, memory };
    const answer = await makeSlidingAnswer(deps, pass);
    for (const [nid, room] of answer.changes) changes.set(nid, room);
    const isNews = !answer.isEmpty || (lists !== undefined && lists !== answer.lists);
    if (!isNews) onNothing();
    if (isNews || poll.isFirst || isOver(core, poll)) return answer;
    passOver(poll, answer, answer.extensions.get(stickyExtension));
    return undefined;
  }

  /** What there is beside the rooms where nothing has happened, or `undefined` where that is nothing either. */
  async function readOld(poll: Poll): Promise<FinalAnswer | undefined> {
    const { request, user, stickyNote } = poll;
    poll.mayHaveOld = false;
    const upTo = db.currentPosition();
    const serials = core.serialsNow(request.userId);
    const { texts, isEmpty } = await quietExtensions(core, request, user, upTo);
    if (isEmpty && (!isOver(core, poll) || hasNews(core, poll))) return undefined;
    const noted = stickyNote === undefined ? [] : [[stickyExtension, stickyNote] as const];
    const extensions = new Map([...texts, ...noted]);
    return { upTo, serials, lists: poll.lists ?? '', rooms: [], extensions, isComplete: true };
  }

  /** Remembers what the client has once it has got the answer, which becomes a text. */
  async function finish(poll: Poll, answer: FinalAnswer): Promise<string> {
    const { request, state, memory, extensions, letters, changes } = poll;
    const isNew = state.nid === undefined || changes.size > 0;
    const saved = isNew ? await connections.save(request, state, changes) : undefined;
    const connection = saved?.nid ?? state.nid ?? 0;
    const serial = saved?.serial ?? state.serial;
    const answered = { extensions, shape: request.shape, lists: answer.lists };
    connections.noteAnswered(connection, serial, answer.isComplete ? answered : undefined);
    memory.lastAnswer = Math.max(memory.lastAnswer, answer.upTo);
    const shown = [...answer.serials].filter(([letter]) => letters.has(letter));
    const end = { position: answer.upTo, serials: new Map(shown) };
    return responseText(formatPos({ connection, serial, extensions, token: end }), answer);
  }

  return {
    async sync(request) {
      const poll = await begin(request);
      const { userId } = request;
      for (let isFirst = true; ; isFirst = false) {
        if (online.users.get(userId) !== poll.user) poll.user = online.touch(userId);
        const news = newsFor(core, poll);
        if (news !== 'none') {
          const { user } = poll;
          const isPausing = news === 'ephemeral' && online.ephemeral.begin(user);
          const answer = await readNews(poll, () => {
            // Who was woken for nothing is not woken at once for the next nothing.
            if (isPausing && isFirst) online.ephemeral.revoke(user);
          });
          if (answer !== undefined) return finish(poll, answer);
          // What happened meanwhile has woken nobody, as nobody was waiting.
          if (hasNews(core, poll)) continue;
        }
        if (poll.mayHaveOld || isOver(core, poll)) {
          const answer = await readOld(poll);
          if (answer !== undefined) return finish(poll, answer);
          if (hasNews(core, poll)) continue;
        }
        await core.wait(poll.user, poll.deadline - now(), request);
      }
    },
  };
}

function responseText(
  pos: string,
  { lists, rooms, extensions }: Pick<SlidingAnswer, 'lists' | 'rooms' | 'extensions'>,
): string {
  const members = Array.from(extensions, ([name, text]) => `"${name}":${text}`);
  return `{"pos":"${pos}","lists":{${lists}},"rooms":{${rooms.join(',')}},"extensions":{${members.join(',')}}}`;
}
