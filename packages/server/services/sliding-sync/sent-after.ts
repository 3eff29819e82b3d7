import {
  combineRequiredState,
  coversRequiredState,
  requires,
  sizeOfRequiredState,
} from '@portico/protocol/sliding-sync/required-state.ts';
import type { SentRoom } from './connection-state.ts';
import type { JoinedNews } from './joined-rooms.ts';
import type { JoinedWish } from './plan.ts';

/** What the client has of a room once it has the answer. */
export function sentAfter({ wanted, before, isDm, isExpanded }: JoinedWish, news: JoinedNews | undefined): SentRoom {
  const { limit, state } = wanted.config;
  if (before === undefined) return { sentTo: 'live', limit, membership: 'join', isDm, state, behind: '' };
  // With a gap, what the client has of the past is what it has got now.
  const hasGap = news?.timeline?.limited === true && !news.isExpanded;
  const after: SentRoom = {
    sentTo: 'live',
    limit: isExpanded || hasGap ? limit : before.limit,
    membership: 'join',
    isDm,
    state: stateAfter(before, wanted.config.state, news),
    behind: before.behind,
  };
  const isSame =
    before.sentTo === 'live' && after.limit === before.limit && isDm === before.isDm && after.state === before.state;
  return isSame ? before : after;
}

/** What the client has of the state: no longer what has changed without being told. */
function stateAfter(before: SentRoom, wanted: SentRoom['state'], news: JoinedNews | undefined): SentRoom['state'] {
  if (wanted === before.state) return wanted;
  const isStale = [...(news?.changed ?? []), ...(news?.lost ?? [])].some((row) => {
    const key = row.state_key ?? '';
    return requires(before.state, row.type, key) && !requires(wanted, row.type, key);
  });
  if (isStale) return wanted;
  if (coversRequiredState(before.state, wanted)) return before.state;
  const all = combineRequiredState(before.state, wanted);
  return sizeOfRequiredState(all) > maxRemembered ? wanted : all;
}

/** Of what a client has asked for before, in entries: what is forgotten is only sent again. */
const maxRemembered = 400;
