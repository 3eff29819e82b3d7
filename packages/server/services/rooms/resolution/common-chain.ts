import type { Reader } from '@portico/storage';
import type { StateRoot, StateStore } from '@portico/storage/state-trie/index.ts';
import { type NamingEvent, stateEventsNaming } from '@portico/storage/stores/resolution.ts';

const pageSize = 500;

/**
 * Leaves out of an auth difference what is in the auth chain of something that all states agree on, since that is in the
 * full auth chain of every state. The entries agreed upon may be very many: so the way goes from the few events of the
 * difference to those that name them, and stops where it meets one that is part of the states.
 */
export async function withoutCommonChain(
  { reader, states }: { readonly reader: Reader; readonly states: StateStore },
  root: StateRoot,
  isConflicted: (type: string, stateKey: string) => boolean,
  difference: readonly number[],
): Promise<number[]> {
  const answers = new Map<number, boolean>();
  // Newest first: what names an event is newer, so its own answer is there when it is needed.
  for (const eventNid of difference.toSorted((a, b) => b - a)) answers.set(eventNid, await leadsToCommon(eventNid));
  return difference.filter((eventNid) => answers.get(eventNid) === false);

  async function leadsToCommon(start: number): Promise<boolean> {
    const seen = new Set<number>();
    const frontier = [start];
    while (frontier.length > 0) {
      const ancestors = frontier.splice(0, pageSize);
      for await (const page of namingPages(reader, ancestors)) {
        if (await hasCommon(page)) return true;
        for (const { event_nid: nid } of page) {
          if (seen.has(nid) || answers.get(nid) === false) continue;
          seen.add(nid);
          frontier.push(nid);
        }
      }
    }
    return false;
  }

  async function hasCommon(page: readonly NamingEvent[]): Promise<boolean> {
    if (page.some(({ event_nid: nid }) => answers.get(nid) === true)) return true;
    const candidates = page.filter((row) => !isConflicted(row.type, row.state_key));
    const keys = candidates.map((row) => [row.type, row.state_key] as const);
    const current = await states.getMany(root, keys).run();
    return candidates.some(({ event_nid: nid }, index) => current[index] === nid);
  }
}

async function* namingPages(reader: Reader, ancestors: readonly number[]): AsyncGenerator<readonly NamingEvent[]> {
  let before = Number.MAX_SAFE_INTEGER;
  for (;;) {
    const page = await stateEventsNaming(reader, ancestors, { before, limit: pageSize });
    yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    before = last.event_nid;
  }
}
