import type { JsonObject } from '@portico/protocol/json/value.ts';
import { objectOf, objectsOf, textOf } from '../server/json.ts';
import type { Session } from '../server/session.ts';
import { readSight, type Sight } from './sight-words.ts';

const path = '_portico/client/v1/privacy/presence';
const limit = 200;

export type SightPage = {
  readonly source: 'own' | 'default' | 'none';
  readonly isMalformed: boolean;
  readonly isOverridden: boolean;
  readonly sights: readonly Sight[];
  /** Where the next page begins, if there is one. */
  readonly next: string | undefined;
};

function placeOf(from: string | undefined): string {
  return from === undefined ? `limit=${limit}` : `limit=${limit}&from=${encodeURIComponent(from)}`;
}

/** Who can see the person now. */
export async function readSights(session: Session, from?: string): Promise<SightPage> {
  const answer = await session.ask({ path: `${path}?${placeOf(from)}` });
  const { source } = answer;
  return {
    source: source === 'own' || source === 'default' ? source : 'none',
    isMalformed: answer['malformed'] === true,
    isOverridden: answer['overridden'] === true,
    sights: objectsOf(answer['users']).map(readSight),
    next: textOf(answer['next_batch']),
  };
}

/** Whether one person can see the person now, whoever they are. */
export async function askSight(session: Session, userId: string): Promise<Sight> {
  return readSight(await session.ask({ path: `${path}/decision?user_id=${encodeURIComponent(userId)}` }));
}

export type Changes = {
  readonly isMalformed: boolean;
  readonly examined: number;
  readonly gained: readonly Sight[];
  readonly lost: readonly Sight[];
  /** Whether there are more people than were looked at. */
  readonly isCut: boolean;
};

/** So many pages of people are looked at. */
const mostPages = 25;

/** For whom something would change. */
export async function previewSharing(session: Session, content: JsonObject): Promise<Changes> {
  const gained: Sight[] = [];
  const lost: Sight[] = [];
  let examined = 0;
  let isMalformed = false;
  let from: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const answer = await session.ask({ method: 'POST', path: `${path}/preview?${placeOf(from)}`, body: { content } });
    for (const change of objectsOf(answer['changes'])) {
      const after = readSight(objectOf(change['after']));
      (after.isAllowed ? gained : lost).push(after);
    }
    examined += typeof answer['examined'] === 'number' ? answer['examined'] : 0;
    isMalformed = answer['malformed'] === true;
    from = textOf(answer['next_batch']);
    if (from === undefined) break;
  }
  return { isMalformed, examined, gained, lost, isCut: from !== undefined };
}
