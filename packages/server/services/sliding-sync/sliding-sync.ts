import { MatrixError } from '../../errors/matrix-error.ts';
import { maxTimeout, memoryOf } from '../sync/sync-core.ts';
import type { SyncToken } from '../sync/token.ts';
import { makeSlidingAnswer, type SlidingAnswer } from './answer.ts';
import type { CandidateDependencies } from './candidates.ts';
import type { Connections } from './connections.ts';
import { newConnection, type ConnectionState, type SentRoom } from './connection-state.ts';
import { extensionLetters, streamLetters } from './extension-letters.ts';
import { mayHaveToDevice, parseToDeviceSince, quietExtensions } from './extensions.ts';
import { formatPos, parsePos, type Pos } from './pos.ts';
import type { SlidingRequest } from './request.ts';
import { mayHaveSticky, stickyExtension } from './sticky-extension.ts';

export interface SlidingSync {
  /** The response as JSON text. */
  sync(request: SlidingRequest): Promise<string>;
}

type Dependencies = CandidateDependencies & { readonly connections: Connections };

/** {@link https://github.com/matrix-org/matrix-spec-proposals/pull/4186} */
export function createSlidingSync(deps: Dependencies): SlidingSync {
  const { core, connections } = deps;
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

  return {
    async sync(request) {
      const { userId, deviceId, connId, shape } = request;
      const pos = request.pos === undefined ? undefined : parsePos(request.pos);
      if (request.pos !== undefined && pos === undefined) throw new MatrixError('sliding.unknown-pos');
      const state = await findState(request, pos);
      const token = pos && (await core.reach(pos.token, request));
      acknowledgeToDevice(request);
      let user = core.online.touch(userId);
      const memory = memoryOf(user, `${deviceId} sliding ${connId}`);
      if (token === undefined || memory.lastAnswer < token.position) memory.clear();
      const extensions = extensionLetters(request.extensions);
      const letters = streamLetters(request.extensions);
      const isOver = () => now() >= deadline || request.signal.aborted;
      const deadline = now() + (token === undefined ? 0 : Math.min(Math.max(request.timeout, 0), maxTimeout));
      let isAnswered = state.answered?.shape === shape && state.answered.extensions === pos?.extensions;
      const { toDevice, sticky } = request.extensions;
      // Others come with what wakes the client.
      let mayHaveOld = toDevice !== undefined && mayHaveToDevice(core, user, toDevice.since);
      let mayHaveOldSticky = sticky !== undefined && mayHaveSticky(core, user, sticky.since);
      /** How far the client has all of them, where that is all that there is to tell. */
      let stickyNote: string | undefined;
      // What the client was told of them, as far as that is known.
      let lists = isAnswered ? state.answered?.lists : undefined;
      let since = token?.position;
      let serials: SyncToken['serials'] = token?.serials ?? new Map();
      let known = pos?.extensions ?? '';
      const changes = new Map<number, SentRoom>();

      function hasNews(from: number): boolean {
        return core.hasNews(user, from, serials, { letters });
      }
      async function finish(answer: Omit<SlidingAnswer, 'isEmpty' | 'changes'>): Promise<string> {
        const isNew = state.nid === undefined || changes.size > 0;
        const saved = isNew ? await connections.save(request, state, changes) : undefined;
        const connection = saved?.nid ?? state.nid ?? 0;
        const serial = saved?.serial ?? state.serial;
        const answered = { extensions, shape, lists: answer.lists };
        connections.noteAnswered(connection, serial, answer.isComplete ? answered : undefined);
        memory.lastAnswer = Math.max(memory.lastAnswer, answer.upTo);
        const shown = [...answer.serials].filter(([letter]) => letters.has(letter));
        const end = { position: answer.upTo, serials: new Map(shown) };
        return responseText(formatPos({ connection, serial, extensions, token: end }), answer);
      }

      for (;;) {
        if (core.online.users.get(userId) !== user) user = core.online.touch(userId);
        if (since === undefined || !isAnswered || mayHaveOldSticky || hasNews(since)) {
          mayHaveOldSticky = false;
          const sent = changes.size === 0 ? state.rooms : new Map([...state.rooms, ...changes]);
          const answer = await makeSlidingAnswer(deps, {
            request,
            user,
            sent,
            since,
            serials,
            extensions: known,
            memory,
          });
          for (const [nid, room] of answer.changes) changes.set(nid, room);
          const isNews = !answer.isEmpty || (lists !== undefined && lists !== answer.lists);
          if (isNews || token === undefined || isOver()) return finish(answer);
          // There is nothing up to here: it need not be read again.
          stickyNote = answer.extensions.get(stickyExtension) ?? stickyNote;
          since = answer.upTo;
          serials = answer.serials;
          known = extensions;
          isAnswered = answer.isComplete;
          lists = answer.lists;
          // What happened meanwhile has woken nobody, as nobody was waiting.
          if (!isAnswered || hasNews(since)) continue;
        }
        if (mayHaveOld || isOver()) {
          mayHaveOld = false;
          const upTo = db.currentPosition();
          const serials = core.serialsNow(userId);
          const { texts, isEmpty } = await quietExtensions(core, request, user, upTo);
          if (!isEmpty || (isOver() && !hasNews(since))) {
            const noted = stickyNote === undefined ? [] : [[stickyExtension, stickyNote] as const];
            const told = new Map([...texts, ...noted]);
            return finish({ upTo, serials, lists: lists ?? '', rooms: [], extensions: told, isComplete: true });
          }
          if (hasNews(since)) continue;
        }
        await core.wait(user, deadline - now(), request);
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
